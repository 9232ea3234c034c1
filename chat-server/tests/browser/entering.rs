//! Names, passwords, languages.

use serde_json::json;

use super::browser::{Browser, ENTER};
use super::home;

pub(crate) fn a_name_that_is_taken_or_none_is_told_in_words_and_another_one_is_welcome() {
    let (_home, server) = home("");
    let _luis = server.joins("luis");
    let browser = Browser::start();
    browser.opens(&server);
    browser.enters("Luis");
    browser.reads(
        "refused",
        "Somebody has this name, or one that looks like it. Choose another one.",
    );
    browser.enters("#ana");
    browser.until("document.getElementById('refused').innerText.startsWith('A name has 1 to 32')");
    browser.enters("ana");
    browser.reads("nick-now", "ana");
    browser.until("document.activeElement.id === 'text'");
    assert_eq!(browser.value("document.title"), "#lobby");
}

pub(crate) fn a_protected_name_asks_for_its_password_and_one_can_protect_a_name() {
    let (_home, server) = home("");
    let browser = Browser::joins(&server, "ana");
    browser.says("/register");
    browser.until("document.activeElement.id === 'new'");
    browser.types("short");
    browser.types(ENTER);
    assert_eq!(browser.value("document.getElementById('ask').open"), true);
    browser.types(" no longer");
    browser.types(ENTER);
    browser.until("document.querySelector('.notice:last-child')?.innerText.includes('protected')");
    browser.says("/quit");
    browser.until("!document.getElementById('enter').hidden");

    browser.enters("ana");
    browser.until("document.activeElement.id === 'password'");
    browser.reads(
        "refused",
        "This name is protected: its password is needed, and it has to be the right one.",
    );
    browser.types("wrong password");
    browser.types(ENTER);
    browser.until("document.getElementById('refused').innerText.includes('protected')");
    browser.js("document.getElementById('password').value = ''");
    browser.types("short no longer");
    browser.types(ENTER);
    browser.reads("nick-now", "ana");
}

pub(crate) fn another_password_signs_others_out_and_keeps_the_page_in() {
    let (home, server) = home("");
    let browser = Browser::joins(&server, "ana");
    browser.says("/register");
    browser.until("document.activeElement.id === 'new'");
    browser.types("short no longer");
    browser.types(ENTER);
    browser.until("document.querySelector('.notice:last-child')?.innerText.includes('protected')");
    let changes = |old: &str, new: &str, notices: u32| {
        browser.says("/password");
        browser.until("document.activeElement.id === 'old'");
        browser.types(old);
        browser.js("document.getElementById('new').focus()");
        browser.types(new);
        browser.types(ENTER);
        browser.until(&format!(
            "[...document.querySelectorAll('.notice')].map((notice) => notice.innerText).join()\
             .split('protected by your password').length - 1 === {notices}"
        ));
    };
    changes("short no longer", "another one", 2);
    home.until_kept("account IS NOT NULL AND until IS NULL", 1);
    // The password of this page is unknown to it after a reload: the new token alone brings back.
    server.kill();
    browser.until("document.getElementById('lost').innerText !== ''");
    browser.says("while away");
    let server = home.start();
    browser.reloads();
    browser.until("document.getElementById('state').innerText === 'Connected'");
    browser.reads("nick-now", "ana");
    browser.sees("while away");

    let mut other = server.connect();
    other.send(&serde_json::json!({
        "type": "hello", "version": 1, "nick": "ana", "password": "another one"
    }));
    other.expect("welcome");
    browser.until("document.getElementById('lost').innerText !== ''");
    other.send(&serde_json::json!({"type": "nick", "nick": "anita"}));
    other.awaits("renamed");
    browser.clicks("#lost button");
    browser.until("!document.getElementById('enter').hidden");
    browser.js("document.getElementById('nick').value = 'ana'");
    browser.js("document.getElementById('password').focus()");
    browser.types("another one");
    browser.types(ENTER);
    browser.until("document.getElementById('state').innerText === 'Connected'");
    other.send(&serde_json::json!({"type": "nick", "nick": "anita2"}));
    other.awaits("renamed");
    changes("another one", "a third one", 1);
    other.awaits("error");
    other.expect_closed();
}

pub(crate) fn the_page_speaks_the_language_that_the_browser_asks_for() {
    let (_home, server) = home("");
    let _luis = server.joins("luis");
    let browser = Browser::start();
    for (languages, lang, name, taken) in [
        ("es-MX,en", "es", "Tu nombre", "Alguien tiene este nombre"),
        (
            "fr,ru;q=0.9,en;q=0.8",
            "ru",
            "Ваше имя",
            "Это имя или похожее",
        ),
        ("fr,de", "en", "Your name", "Somebody has this name"),
    ] {
        let agent = browser.value("navigator.userAgent");
        let wish = json!({"userAgent": agent, "acceptLanguage": languages});
        browser.commands("Emulation.setUserAgentOverride", wish);
        browser.opens(&server);
        browser.until(&format!("document.documentElement.lang === '{lang}'"));
        let label = "document.querySelector('label[for=nick]').innerText";
        assert_eq!(browser.value(label), name);
        browser.enters("luis");
        browser.until(&format!(
            "document.getElementById('refused').innerText.startsWith('{taken}')"
        ));
    }
}
