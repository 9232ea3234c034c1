//! Languages and scripts: mentions, directions, words, plurals, times.

use chat_proto::name::fold;
use serde_json::{Value, json};

use super::browser::Browser;
use super::{home, tells};

/// Runs a function body of the page's modules, with `await`, and returns its value.
fn runs(browser: &Browser, body: &str) -> Value {
    browser.finishes(&format!(
        "const done = arguments[0];
         (async () => {{ {body} }})().then(done, (error) => done(String(error)));"
    ))
}

fn reads_in(browser: &Browser, languages: &str, zone: &str) {
    let agent = browser.value("navigator.userAgent");
    let wish = json!({"userAgent": agent, "acceptLanguage": languages});
    browser.commands("Emulation.setUserAgentOverride", wish);
    browser.commands("Emulation.setTimezoneOverride", json!({"timezoneId": zone}));
}

pub(crate) fn mentions_are_those_of_the_table_that_all_clients_share() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../chat-proto/tests/mentions.json")).unwrap();
    assert!(cases.as_array().unwrap().len() > 40);
    let (_home, server) = home("");
    let ana = Browser::start();
    ana.opens(&server);
    let wrong = runs(
        &ana,
        &format!(
            "const {{ mentions }} = await import('/fold.js');
             return {cases}.filter(({{ nick, text, mention }}) => mentions(text, nick) !== mention)"
        ),
    );
    assert_eq!(wrong, json!([]));
}

pub(crate) fn names_are_folded_as_by_the_protocol() {
    let (_home, server) = home("");
    let ana = Browser::start();
    ana.opens(&server);
    // Every character of the basic plane that the browser knows and that folds to something else, in a word.
    let letters = (0x80..0xd800).filter_map(char::from_u32);
    let words: Vec<[String; 2]> = letters
        .map(|letter| format!("a{letter}"))
        .chain(["ΝΊΚΟΣ", "İI", "ıI", "ﬁﬂﬃ", "ＡＮＡ", "Straẞe", "𐐀"].map(str::to_owned))
        .map(|word| [word.clone(), fold(&word).into_owned()])
        .filter(|[word, folded]| word != folded)
        .collect();
    assert!(words.len() > 2_000, "{}", words.len());
    let wrong = runs(
        &ana,
        &format!(
            "const {{ fold }} = await import('/fold.js');
             return {}.filter(([word, folded]) => !/\\p{{Cn}}/u.test(word) && fold(word) !== folded)",
            json!(words)
        ),
    );
    assert_eq!(wrong, json!([]));
}

pub(crate) fn each_text_has_its_own_direction() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    for (text, id) in [
        ("שלום לכולם", "1"),
        ("מה שלומך?", "2"),
        ("hello", "3"),
        ("مرحبا 123", "4"),
    ] {
        tells(&mut luis, "#lobby", text, id);
    }
    let mut dana = server.joins("דנה");
    tells(&mut dana, "#lobby", "good morning", "1");
    tells(&mut dana, "#lobby", "and again", "2");
    tells(&mut dana, "#lobby", "בוקר טוב", "3");
    ana.sees("בוקר טוב");
    let directions = ana.value(
        "[...document.querySelectorAll('#log .line .text')].map((text) => getComputedStyle(text).direction)",
    );
    assert_eq!(
        directions,
        json!(["rtl", "rtl", "ltr", "rtl", "ltr", "ltr", "rtl"])
    );
    // The notice is in the page's language: the name stands before the word that follows it.
    ana.until("document.querySelector('.notice')");
    let order = ana.js(
        "const notice = [...document.querySelectorAll('.notice')].find((one) => one.innerText.includes('דנה'));
         const text = notice.firstChild, whole = text.data, at = (word) => {
             const range = document.createRange();
             range.setStart(text, whole.indexOf(word));
             range.setEnd(text, whole.indexOf(word) + word.length);
             return range.getBoundingClientRect().left;
         };
         return at('דנה') < at('joined')",
    );
    assert_eq!(order, true);
    let direction = "getComputedStyle(document.getElementById('text')).direction";
    ana.js("document.getElementById('text').focus()");
    ana.types("אני כותב");
    assert_eq!(ana.value(direction), "rtl");
    ana.js("document.getElementById('text').select()");
    ana.types("I write");
    assert_eq!(ana.value(direction), "ltr");
    ana.js("document.getElementById('text').select()");
    ana.says("/join #שלום");
    ana.until("document.querySelector('#title bdi')?.innerText === '#שלום'");
    ana.until("getComputedStyle(document.querySelector('#title bdi')).direction === 'rtl'");
    ana.says("/topic דיבורים");
    ana.until("document.getElementById('topic').innerText === 'דיבורים'");
    ana.until("getComputedStyle(document.getElementById('topic')).direction === 'rtl'");
}

const SAID: &str = "const { inWords, t, reasonInWords } = await import('/words.js');
        return [
            inWords({ code: 'auth_failed', detail: 'ana is protected: it needs its password or a valid token' }),
            inWords({ code: 'banned', detail: 'you are banned from this server until 2026-11-30T20:26:32.104Z: spam: twice' }),
            inWords({ code: 'a_new_one', detail: 'closed until 2026-11-30T20:26:32.104Z' }),
            ...[1, 2, 5, 21].map((count) => t('newerCount', count)),
            ...[1, 3, 1234567].map((count) => t('toldMany', count)),
            reasonInWords('timed out'),
        ]";

/// Languages, time zone, date and time of 2026-11-30T20:26:32Z, and what [`SAID`] returns.
const READERS: [(&str, &str, [&str; 2], [&str; 11]); 3] = [
    (
        "en-US",
        "America/New_York",
        ["November 30, 2026", "3:26 PM"],
        [
            "This name is protected: its password is needed, and it has to be the right one.",
            "You are banned here. Until MOMENT. Reason: spam: twice",
            "closed until MOMENT",
            "1 new",
            "2 new",
            "5 new",
            "21 new",
            "1 new message",
            "3 new messages",
            "1,234,567 new messages",
            "no answer",
        ],
    ),
    (
        "es-ES,en",
        "Europe/Madrid",
        ["30 de noviembre de 2026", "21:26"],
        [
            "Este nombre está protegido: hace falta su contraseña, y que sea la correcta.",
            "Tienes prohibida la entrada. Hasta el MOMENT. Motivo: spam: twice",
            "closed until MOMENT",
            "1 nuevo",
            "2 nuevos",
            "5 nuevos",
            "21 nuevos",
            "1 mensaje nuevo",
            "3 mensajes nuevos",
            "1.234.567 mensajes nuevos",
            "sin respuesta",
        ],
    ),
    (
        "ru-RU",
        "Europe/Moscow",
        ["30 ноября 2026", "23:26"],
        [
            "Это имя защищено: нужен его верный пароль.",
            "Вам сюда нельзя. До MOMENT. Причина: spam: twice",
            "closed until MOMENT",
            "1 новое",
            "2 новых",
            "5 новых",
            "21 новое",
            "1 новое сообщение",
            "3 новых сообщения",
            "1 234 567 новых сообщений",
            "нет ответа",
        ],
    ),
];

pub(crate) fn errors_are_sentences_and_counts_and_times_are_the_readers() {
    let (_home, server) = home("");
    let ana = Browser::start();
    for (languages, zone, moment, wanted) in READERS {
        reads_in(&ana, languages, zone);
        ana.opens(&server);
        let told: Vec<String> = serde_json::from_value(runs(&ana, SAID)).unwrap();
        // Numbers and times of Intl have spaces that do not break.
        let told = told
            .iter()
            .map(|text| text.replace(['\u{a0}', '\u{202f}'], " "));
        let told: Vec<String> = told.collect();
        let shown = told[2].strip_prefix("closed until ").unwrap();
        // What joins a date and a time differs between versions of a browser.
        assert!(moment.iter().all(|part| shown.contains(part)), "{shown}");
        let wanted = wanted.map(|text| text.replace("MOMENT", shown));
        assert_eq!(told, wanted);
    }
}

pub(crate) fn who_is_banned_reads_until_when_in_the_own_language_and_time() {
    let (home, server) = home("");
    home.configure("[listen]\n", "operators = [\"luis\"]\n[listen]\n");
    server.kill();
    let server = home.start();
    let mut luis = server.joins("luis");
    luis.send(&json!({"type": "register", "password": "long enough"}));
    luis.awaits("registered");
    let ana = Browser::start();
    reads_in(&ana, "es-ES", "Europe/Madrid");
    ana.opens(&server);
    ana.enters("ana");
    ana.reads("nick-now", "ana");
    luis.send(&json!({"type": "ban", "nick": "ana", "seconds": 3600, "reason": "spam"}));
    ana.until("!document.getElementById('enter').hidden");
    let told = ana.value("document.getElementById('refused').innerText");
    let told = told.as_str().unwrap();
    assert!(
        told.starts_with("Tienes prohibida la entrada. Hasta el "),
        "{told}"
    );
    assert!(told.ends_with("Motivo: spam"), "{told}");
    assert!(!told.contains("T") || !told.contains('Z'), "{told}");
}
