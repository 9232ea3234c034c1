//! On what screen, in what light, without a mouse, without seeing it.

use std::path::Path;
use std::{env, fs};

use serde_json::{Value, json};

use super::browser::{ALT_UP, Browser, ENTER, ESCAPE, SHIFT_TAB, TAB};
use super::support::{Server, TestClient};
use super::{home, tells};

/// Name, width, height, dark.
const SCREENS: [(&str, u32, u32, bool); 4] = [
    ("wide-light", 1440, 900, false),
    ("wide-dark", 1440, 900, true),
    ("phone-light", 390, 844, false),
    ("phone-dark", 390, 844, true),
];

/// Every text on the screen that has less contrast to what is behind it than WCAG 2.2 asks for (1.4.3, AA).
const TOO_FAINT: &str = r"
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = channels(colour).slice(0, 3).map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if ((channels(colour)[3] ?? 1) === 1) return colour;
        }
        return getComputedStyle(document.documentElement).backgroundColor;
    };
    const faint = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest('.sr, script, option')) continue;
        const style = getComputedStyle(element);
        const [one, other] = [light(style.color), light(behind(element))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (contrast < 4.5) faint.push(`${texts.currentNode.data}: ${contrast.toFixed(2)}`);
    }
    return faint;";

/// Somebody without a browser.
fn guest(server: &Server, nick: &str) -> TestClient {
    server.joins(nick)
}

/// A conversation with all that a line can be.
fn conversation(server: &Server, ana: &Browser) -> [TestClient; 3] {
    let [mut luis, mut maria, mut bot] =
        ["luis", "María", "deploy-bot"].map(|nick| guest(server, nick));
    ana.says("¡Buenos días! ¿Todo listo para hoy?");
    for text in [
        "Casi. La copia de anoche está verificada, línea por línea.",
        "Queda la migración: la hago a las 11, sin parar el servicio.",
    ] {
        luis.says_among_others("#lobby", text, text.split(['.', ':']).next().unwrap());
    }
    for text in [
        "Доброе утро! Я посмотрю графики, пока Luis мигрирует.",
        "ana, can you watch the queue lengths? The dashboard is open on the big screen.",
    ] {
        maria.says_among_others("#lobby", text, text.split(['!', ',']).next().unwrap());
    }
    ana.sees("ana, can you watch the queue lengths? The dashboard is open on the big screen.");
    ana.says("Claro. Plan para las 11:\n  1. pausar el bot\n  2. migrar\n  3. volver a medir");
    bot.says_among_others(
        "#lobby",
        "release 0.1.0 is out: 1,204 tests passed, 0 failed",
        "b",
    );
    luis.says_among_others("#lobby", "Empiezo 🚀", "rocket");
    for channel in ["#ops", "#rust"] {
        ana.says(&format!("/join {channel}"));
        ana.until(&format!("document.title.endsWith('{channel}')"));
    }
    ana.says("/switch #lobby");
    for client in [&mut luis, &mut maria] {
        client.send(&json!({"type": "join", "channel": "#rust"}));
    }
    luis.says_among_others("#rust", "the borrow checker was right, again", "c1");
    luis.says_among_others("#rust", "ana, look at this lifetime", "c2");
    maria.says_among_others("ana", "¿Comemos a las dos?", "d");
    ana.until("document.querySelector('#directs .mentions')?.innerText === '@1'");
    ana.until("document.querySelector('#channels .count')?.innerText === '1'");
    ana.sees("Empiezo 🚀");
    [luis, maria, bot]
}

pub(crate) fn screens_of_any_size_and_light_show_all_and_can_be_read() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let _others = conversation(&server, &ana);
    // What has failed, and an error, have to be read, too.
    for (name, width, height, dark) in SCREENS {
        ana.screen(width, height, dark);
        ana.until(&format!("innerWidth === {width}"));
        keep(name, &ana);
        ana.js("document.getElementById('text').select()");
        ana.says("/nosuch");
        ana.until("document.getElementById('problem').innerText");
        let wide = ana.value("document.documentElement.scrollWidth");
        assert_eq!(wide, width, "{name}");
        assert_eq!(ana.js(TOO_FAINT), json!([]), "{name}");
        if width < 500 {
            for (opener, drawer) in [("menu", "side"), ("crowd-open", "crowd")] {
                ana.clicks(&format!("#{opener}"));
                ana.until(&format!("document.getElementById('{drawer}').getBoundingClientRect().right <= innerWidth + 1 && getComputedStyle(document.getElementById('{drawer}')).visibility === 'visible'"));
                assert_eq!(ana.js(TOO_FAINT), json!([]), "{name}, {drawer}");
                ana.clicks("#shade");
            }
        }
        ana.js("document.getElementById('text').focus()");
    }
}

/// Keeps a picture: where `CHAT_SCREENSHOTS` says, else with what cargo keeps of tests.
fn keep(name: &str, browser: &Browser) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = match env::var_os("CHAT_SCREENSHOTS") {
        Some(folder) => workspace.join(folder),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(),
    };
    browser.js("getSelection().removeAllRanges(); document.activeElement.blur(); document.getElementById('problem').textContent = ''");
    let picture = browser.screenshot();
    assert!(picture.len() > 5_000, "there is nothing on it");
    fs::write(folder.join(format!("{name}.webp")), picture).unwrap();
    browser.js("document.getElementById('text').focus()");
}

pub(crate) fn who_does_not_see_it_is_told_what_everything_is_and_what_is_new() {
    let (_home, server) = home("");
    let ana = Browser::start();
    ana.opens(&server);
    ana.until("document.activeElement.id === 'nick'");
    assert_named(&ana, &["main"]);
    ana.enters("ana");
    ana.reads("nick-now", "ana");
    let mut luis = guest(&server, "luis");
    ana.until("document.querySelector('#people [data-name=luis]')");
    assert_named(&ana, &["navigation", "main", "complementary", "log"]);

    tells(&mut luis, "#lobby", "¿hay alguien?", "1");
    ana.reads("told", "luis: ¿hay alguien?");
    let live = "document.getElementById('told').getAttribute('aria-live')";
    assert_eq!(ana.value(live), "polite");
    // The older ones that come on scroll are not read out.
    assert_eq!(
        ana.value("document.querySelectorAll('#scroll [aria-live]').length"),
        0
    );
    let shown = ana.value("document.querySelector('#channels [aria-current=page]').dataset.name");
    assert_eq!(shown, "#lobby");
    ana.clicks("#people [data-name=luis]");
    ana.until("document.querySelector('#directs [aria-current=page]').dataset.name === 'luis'");
    ana.reads("told", "luis: ¿hay alguien?");
}

/// Whatever one can operate has a name, and these landmarks are there; by the browser's own account of it.
fn assert_named(browser: &Browser, landmarks: &[&str]) {
    let tree = browser.commands("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let seen: Vec<(&str, &str)> = nodes
        .iter()
        .filter(|node| node["ignored"] == false)
        .map(|node| (&node["role"]["value"], &node["name"]["value"]))
        .map(|(role, name)| (role.as_str().unwrap_or(""), name.as_str().unwrap_or("")))
        .collect();
    for (role, name) in &seen {
        let operated = [
            "button",
            "textbox",
            "combobox",
            "link",
            "region",
            "navigation",
        ];
        assert!(
            !operated.contains(role) || !name.is_empty(),
            "{role} without a name"
        );
    }
    for landmark in landmarks {
        let count = seen.iter().filter(|(role, _)| role == landmark).count();
        assert_eq!(count, 1, "{landmark}: {seen:?}");
    }
    let headings = seen.iter().filter(|(role, _)| *role == "heading").count();
    assert!(headings > 0);
    let twice = browser.value("[...document.querySelectorAll('[id]')].length - new Set([...document.querySelectorAll('[id]')].map(({ id }) => id)).size");
    assert_eq!(twice, 0, "ids that are there twice");
}

pub(crate) fn everything_can_be_done_by_keyboard_and_the_focus_is_seen() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = guest(&server, "luis");
    ana.until("document.querySelector('#people [data-name=luis]')");
    let mut walk = Vec::new();
    loop {
        ana.types(TAB);
        let Value::String(at) = ana.value(FOCUSED) else {
            // Behind the last one is the browser itself.
            break;
        };
        assert!(at.ends_with(" seen"), "{at}");
        walk.push(at.trim_end_matches(" seen").to_owned());
    }
    assert_eq!(walk, ["send", "luis", "times", "notify", "record"]);
    ana.js("document.activeElement.blur()");
    let mut walk = Vec::new();
    while walk.last().is_none_or(|at| at != "text") {
        ana.types(TAB);
        let at = ana.value(FOCUSED);
        walk.push(at.as_str().unwrap().trim_end_matches(" seen").to_owned());
    }
    assert_eq!(
        walk,
        [
            "skip", "#lobby", "channel", "join", "quit", "scroll", "text"
        ]
    );

    // To luis and back.
    ana.types(&TAB.repeat(2));
    ana.types(ENTER);
    ana.until("document.title === 'luis'");
    ana.says("by keys alone");
    luis.expect_message("ana", "by keys alone");
    ana.types(ALT_UP);
    ana.until("document.title === '#lobby'");
    ana.until("document.activeElement.id === 'text'");

    // On a phone, what stands beside the messages comes and goes, and the focus with it.
    ana.screen(390, 844, false);
    ana.until("innerWidth === 390");
    ana.js("document.getElementById('menu').focus()");
    ana.types(ENTER);
    ana.until("document.getElementById('menu').getAttribute('aria-expanded') === 'true'");
    ana.until("document.getElementById('side').contains(document.activeElement)");
    ana.types(ESCAPE);
    ana.until("document.activeElement.id === 'menu'");
    ana.until("getComputedStyle(document.getElementById('side')).visibility === 'hidden'");
    ana.types(SHIFT_TAB);
    let at = ana.value(FOCUSED);
    assert!(at == "skip seen", "{at}");
}

/// What has the focus, and whether that is seen.
const FOCUSED: &str = "(() => {
    const at = document.activeElement;
    if (at === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
    const name = at.id || at.dataset.name || at.dataset.t || at.dataset.tLabel;
    return `${name}${seen ? ' seen' : ''}`;
})()";
