//! `Keeper`: tells the room which nicks are protected, and keeps it in step with the file.
//!
//! It alone tells, so what the room knows follows the file in order, whoever has changed it: the
//! [`super::accounts`] of this server, whose answers pass through here once the room has been told, or
//! `chat-server account` beside it, which is noticed within [`POLL`]. It lives on a thread of its own,
//! for the blocking calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use chat_proto::Nick;

use super::accounts::{Answer, Outcome};
use super::sqlite::{Database, StoredAccount};
use crate::chat::SessionId;
use crate::chat::accounts::{Account, AccountChange};
use crate::chat::room::{AccountChanges, Unkept};
use crate::error::DatabaseError;
use crate::health::{Ailment, Health};
use crate::vital::Vital;

/// How long what somebody else has written to the file may go unnoticed.
pub const POLL: Duration = Duration::from_millis(500);

/// Something was done about a nick (folded): tell the room, then whoever asked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Settled {
    pub nick: Arc<str>,
    pub answer: Answer,
    pub reply: Recipient<Answer>,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Keeper {
    database: Database,
    version: i64,
    /// What the room was told, by folded nick.
    known: HashMap<Arc<str>, Account>,
    room: Recipient<AccountChanges>,
    /// Is told when changes cannot be kept.
    unkept: Recipient<Unkept>,
    /// The file cannot be read: said once, until it can.
    failing: bool,
    /// The file is no longer at its path: said once, until it is.
    displaced: bool,
    health: Health,
    /// Without it nobody would be answered who logs in.
    _vital: Vital,
}

/// The account as the room knows it; nothing where the rules for nicks have become stricter.
fn account(stored: StoredAccount) -> Option<Account> {
    let nick = Nick::new(&stored.nick)
        .inspect_err(|error| log::warn!("the account {:?} is out of use: {error}", stored.nick))
        .ok()?;
    Some(Account {
        id: stored.id,
        nick,
        since: stored.since,
    })
}

impl Keeper {
    /// A keeper for the file of `database`, and the accounts in it: what the room is to begin with.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn new(
        database: Database,
        room: Recipient<AccountChanges>,
        unkept: Recipient<Unkept>,
        health: Health,
        vital: Vital,
    ) -> Result<(Self, Vec<Account>), DatabaseError> {
        let version = database.version()?;
        let accounts: Vec<Account> = database
            .accounts()?
            .into_iter()
            .filter_map(account)
            .collect();
        let known = accounts
            .iter()
            .map(|account| (account.nick.folded_arc(), account.clone()))
            .collect();
        let keeper = Self {
            database,
            version,
            known,
            room,
            unkept,
            failing: false,
            displaced: false,
            health,
            _vital: vital,
        };
        Ok((keeper, accounts))
    }

    /// Checks the file and reads which accounts have changed.
    fn poll(&mut self) {
        self.check_place();
        let polled = self.read_changes();
        self.health.set(Ailment::Accounts, polled.is_err());
        match polled {
            Ok(()) => self.failing = false,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("the accounts cannot be read, the last ones known hold: {error}");
                }
            }
        }
    }

    /// Reports when the file is no longer at its path, and when it is again.
    fn check_place(&mut self) {
        let in_place = self.database.in_place();
        self.health.set(Ailment::Displaced, in_place.is_err());
        let displaced = in_place.is_err();
        if std::mem::replace(&mut self.displaced, displaced) == displaced {
            return;
        }
        self.unkept.do_send(Unkept(displaced));
        match in_place {
            Ok(()) => log::info!("the accounts file is back at its path"),
            Err(error) => log::error!("accounts, bans and tokens cannot be kept: {error}"),
        }
    }

    /// Looks whether somebody else has written to the file.
    fn read_changes(&mut self) -> Result<(), DatabaseError> {
        let version = self.database.version()?;
        if version != self.version {
            let accounts = self.database.accounts()?;
            self.version = version;
            self.compare(accounts);
        }
        Ok(())
    }

    /// Tells the room where `stored`, which is all there is, differs from what it was told.
    fn compare(&mut self, stored: Vec<StoredAccount>) {
        let now: HashMap<Arc<str>, Account> = stored
            .into_iter()
            .filter_map(account)
            .map(|account| (account.nick.folded_arc(), account))
            .collect();
        let gone = self
            .known
            .iter()
            .filter(|(nick, _)| !now.contains_key(*nick));
        let mut changes: Vec<AccountChange> = gone.map(|(_, account)| freed(account)).collect();
        for (nick, account) in &now {
            if self.known.get(nick) != Some(account) {
                changes.push(AccountChange::Protected {
                    account: account.clone(),
                    by: None,
                });
            }
        }
        self.known = now;
        self.tell(changes);
    }

    /// Looks at one nick, which `by` may have registered just now.
    fn look(&mut self, nick: &Arc<str>, by: Option<SessionId>) -> Result<(), DatabaseError> {
        let now = self.database.account(nick)?.and_then(account);
        let before = match &now {
            Some(account) => self.known.insert(nick.clone(), account.clone()),
            None => self.known.remove(nick),
        };
        if before != now || by.is_some() {
            let change = match (before, now) {
                (_, Some(account)) => AccountChange::Protected { account, by },
                (Some(before), None) => freed(&before),
                (None, None) => return Ok(()),
            };
            self.tell(vec![change]);
        }
        Ok(())
    }

    fn tell(&self, changes: Vec<AccountChange>) {
        if !changes.is_empty() {
            self.room.do_send(AccountChanges(changes));
        }
    }
}

fn freed(account: &Account) -> AccountChange {
    AccountChange::Freed {
        nick: account.nick.clone(),
        id: account.id,
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(POLL, |keeper, _| keeper.poll());
    }
}

impl Handler<Settled> for Keeper {
    type Result = ();

    fn handle(
        &mut self,
        Settled {
            nick,
            mut answer,
            reply,
        }: Settled,
        _: &mut Self::Context,
    ) {
        let by = matches!(answer.outcome, Outcome::Registered(_)).then_some(answer.session);
        if !matches!(answer.outcome, Outcome::Wrong | Outcome::Failed(_))
            && let Err(error) = self.look(&nick, by)
        {
            answer.outcome = Outcome::Failed(error);
        }
        reply.do_send(answer);
    }
}
