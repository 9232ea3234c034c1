//! The entry: drafts, commands, input methods, indented text.

use serde_json::json;

use super::browser::{Browser, ENTER};
use super::{home, tells};

const ENTRY: &str = "document.getElementById('text').value";

/// Puts a text into the entry as a paste does.
fn pastes(browser: &Browser, text: &str) {
    browser.until("document.activeElement.id === 'text'");
    browser.js(&format!(
        "document.execCommand('insertText', false, {})",
        json!(text)
    ));
}

pub(crate) fn a_refused_message_and_a_draft_outlive_an_edit_a_reconnection_and_a_reload() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    ana.says("/tell nobody refused text");
    ana.clicks("#directs [data-name=nobody]");
    ana.until("document.querySelector('.failed .why')");
    ana.until("document.activeElement.id === 'text'");
    ana.types("a draft");
    ana.clicks(".failed .why button:last-child");
    let both = "refused text\na draft";
    assert_eq!(ana.value(ENTRY), both);
    home.until_kept("1", 1);
    server.kill();
    ana.until("document.getElementById('lost').innerText !== ''");
    let _server = home.start();
    ana.until("document.getElementById('lost').innerText === ''");
    ana.until("document.getElementById('state').innerText === 'Connected'");
    assert_eq!(ana.value(ENTRY), both);
    // Each conversation has its own.
    ana.clicks("#channels [data-name=\"#lobby\"]");
    ana.until("document.title === '#lobby'");
    assert_eq!(ana.value(ENTRY), "");
    ana.types("of the lobby");
    ana.clicks("#directs [data-name=nobody]");
    ana.until("document.title === 'nobody'");
    assert_eq!(ana.value(ENTRY), both);
    ana.reloads();
    ana.until("document.title === 'nobody'");
    assert_eq!(ana.value(ENTRY), both);
    ana.clicks("#channels [data-name=\"#lobby\"]");
    ana.until(&format!("{ENTRY} === 'of the lobby'"));
}

pub(crate) fn what_is_no_command_or_cannot_be_done_now_stays_in_the_entry() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    for text in ["/usr/bin/x crashed", ".x", "/tell luis", "/nick"] {
        ana.js("document.getElementById('text').select()");
        ana.says(text);
        ana.until("document.getElementById('problem').innerText !== ''");
        assert_eq!(ana.value(ENTRY), text);
    }
    ana.js("document.getElementById('text').select()");
    ana.says("/usr/bin/x crashed");
    ana.until("document.getElementById('problem').innerText.includes('/help')");
    // A topic that is refused comes back.
    ana.js("document.getElementById('text').select()");
    ana.says("/topic a long thought about this place");
    ana.until("document.getElementById('problem').innerText.includes('may not')");
    ana.until(&format!(
        "{ENTRY} === '/topic a long thought about this place'"
    ));
    server.kill();
    ana.until("document.getElementById('lost').innerText !== ''");
    ana.types(ENTER);
    ana.until("document.getElementById('problem').innerText.includes('no connection')");
    assert_eq!(ana.value(ENTRY), "/topic a long thought about this place");
    ana.js("document.getElementById('channel').value = 'rust'");
    ana.clicks("#join button");
    assert_eq!(
        ana.value("document.getElementById('channel').value"),
        "rust"
    );
    assert_eq!(home.lines().len(), 0);
}

pub(crate) fn a_draft_comes_back_with_the_channel_that_it_was_for() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    luis.joins("#rust");
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    ana.types("half of a th");
    luis.send(&json!({"type": "kick", "nick": "ana", "channel": "#rust"}));
    ana.until("document.title === '#lobby'");
    assert_eq!(ana.value(ENTRY), "");
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    assert_eq!(ana.value(ENTRY), "half of a th");
}

pub(crate) fn a_text_that_is_too_long_fails_and_the_connection_stays() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    ana.js("window.lost = 0;
         new MutationObserver(() => lost++).observe(document.getElementById('lost'), { childList: true });");
    pastes(&ana, &"long ".repeat(20_000));
    ana.types(ENTER);
    ana.until("document.querySelector('.failed .why').innerText.includes('too long')");
    ana.says("short");
    ana.sees("short");
    assert_eq!(ana.value("window.lost"), 0);
    assert_eq!(home.lines().len(), 1);
}

pub(crate) fn the_enter_that_ends_a_composition_does_not_send() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    ana.until("document.activeElement.id === 'text'");
    let composition = json!({"text": "かん", "selectionStart": 2, "selectionEnd": 2});
    ana.commands("Input.imeSetComposition", composition);
    let enter = json!({"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229});
    ana.commands("Input.dispatchKeyEvent", enter);
    assert_eq!(ana.value(ENTRY), "かん");
    ana.commands("Input.insertText", json!({"text": "漢"}));
    assert_eq!(ana.value(ENTRY), "漢");
    // Safari: the composition has ended when the key comes.
    let default = ana.js(
        "const field = document.getElementById('text');
         field.dispatchEvent(new CompositionEvent('compositionend', { data: '漢' }));
         return field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))",
    );
    assert_eq!(default, true, "the key is left to the input method");
    assert_eq!(ana.value(ENTRY), "漢");
    ana.types(ENTER);
    ana.sees("漢");
    assert_eq!(home.lines().len(), 1);
}

pub(crate) fn an_indented_text_is_said_and_shown_as_it_is() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let code = "    if (a) {\n\tb  =   c;\n\n        d();\n    }";
    pastes(&ana, code);
    ana.types(ENTER);
    ana.sees(code);
    assert_eq!(home.lines()[0]["text"], code);
    let shown = "document.querySelector('#log .line .text').innerText";
    let shown = ana.value(shown);
    assert!(shown.as_str().unwrap().starts_with(code), "{shown}");

    let mut luis = server.joins("luis");
    pastes(&ana, &format!("/tell luis\n{code}"));
    ana.types(ENTER);
    luis.expect_message("ana", code);
    tells(&mut luis, "#lobby", "  two", "1");
    ana.sees("  two");
}
