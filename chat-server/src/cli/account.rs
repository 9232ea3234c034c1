//! `chat-server account`: the accounts from outside, beside a running server too, which takes note of a
//! change within a second.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use chat_proto::name::fold;
use chat_proto::{Nick, PASSWORD_BYTES, Secret};
use chat_server::chat::accounts::Account as Protected;
use chat_server::chat::confusables::is_mixed;
use chat_server::config::Config;
use chat_server::store::accounts::password::PasswordHasher;
use chat_server::store::database::{Database, StoredAccount};
use clap::Subcommand;

/// What to do with the accounts.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Account {
    /// Print the accounts, a line each: when it was made (UTC), and the nick
    List,
    /// Protect a nick. The password is asked for, or the first line of standard input
    Add {
        /// The nick, e.g. ana
        nick: Nick,
        /// Make the file of the accounts where neither --config nor CHAT_ACCOUNTS__PATH names it
        #[arg(long)]
        create: bool,
    },
    /// Protect a nick no longer; what was written to it is shown to no later holder
    Remove {
        /// The nick, e.g. ana
        nick: String,
    },
    /// Give an account another password, asked for as with add. Signs out its connections
    Passwd {
        /// The nick, e.g. ana
        nick: String,
    },
}

/// Runs the command on the accounts of `config`. A missing file is made only by `add`, and only where
/// `is_configured` or `--create` says that this is the file of the server.
pub(crate) fn run(config: &Config, is_configured: bool, command: &Account) -> anyhow::Result<()> {
    // Warnings about the file.
    let mut logger = env_logger::Builder::new();
    logger.filter_level(log::LevelFilter::Warn).init();
    let path = &std::path::absolute(&config.accounts.path)?;
    if let Account::Add { nick, create } = command {
        ensure!(
            path.exists() || is_configured || *create,
            "{}: no such file. Name the server's configuration with --config, or make a new file with \
             --create",
            path.display()
        );
        // As the owner of the server: a file made by somebody else would be closed to it.
        let database = Database::create(path)?;
        ensure!(
            !is_mixed(nick.as_str(), nick.folded()),
            "{nick} has letters of different scripts"
        );
        let taken = || format!("{nick} is an account already");
        ensure!(database.account(nick.folded())?.is_none(), taken());
        let hash = PasswordHasher::default().hash(&new_password()?)?;
        let added = database.add_account(nick, &hash, Protected::UNNOTED)?;
        ensure!(added, taken());
        return report("added", nick.as_str(), path);
    }
    ensure!(
        path.exists(),
        "{}: no such file. Name the server's configuration with --config",
        path.display()
    );
    let mut database = Database::open(path)?;
    match command {
        Account::List => list(&database.accounts()?),
        Account::Remove { nick } => {
            let account = find(&database, nick)?;
            ensure!(database.remove_account(account.id)?, no_account(nick));
            report("removed", account.nick.as_str(), path)
        }
        Account::Passwd { nick } => {
            let account = find(&database, nick)?;
            let hash = PasswordHasher::default().hash(&new_password()?)?;
            let changed = database.change_hash(account.id, &account.hash, &hash)?;
            ensure!(changed, "{nick:?} has changed meanwhile; nothing was done");
            report("changed the password of", account.nick.as_str(), path)
        }
        Account::Add { .. } => Ok(()),
    }
}

/// Prints the change and the file that it was made in.
fn report(change: &str, nick: &str, path: &Path) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{change} {nick} in {}", path.display()).context("cannot print")
}

fn list(accounts: &[StoredAccount]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for account in accounts {
        match writeln!(out, "{} {}", account.created, account.nick) {
            // Whoever reads along has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written.context("cannot print")?,
        }
    }
    Ok(())
}

fn find(database: &Database, nick: &str) -> anyhow::Result<StoredAccount> {
    let account = database.account(&fold(nick))?;
    account.with_context(|| no_account(nick))
}

fn no_account(nick: &str) -> String {
    format!("{nick:?} is no account")
}

/// A password from a person, asked twice, or from standard input. Never from an argument: those are for
/// everyone on the machine to see.
fn new_password() -> anyhow::Result<Secret<'static>> {
    let password = if io::stdin().is_terminal() {
        let once = Secret::from(rpassword::prompt_password("New password: ")?);
        let again = Secret::from(rpassword::prompt_password("Once more: ")?);
        ensure!(once == again, "the two are not the same");
        once
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let all = Secret::from(line);
        Secret::from(all.reveal().trim_end_matches(['\n', '\r']).to_owned())
    };
    if !PASSWORD_BYTES.contains(&password.reveal().len()) {
        let (min, max) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
        bail!("a password has {min} to {max} bytes");
    }
    Ok(password)
}
