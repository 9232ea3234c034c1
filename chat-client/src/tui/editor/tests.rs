//! The entry, key by key.

use crossterm::event::{KeyCode, KeyModifiers};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;

fn names() -> CompletionNames {
    let names = CompletionNames::default();
    for nick in ["ana", "andrés"] {
        names.nick(nick);
    }
    names
}

/// The keys of `typed`: characters, and names of keys between `<` and `>`.
fn keys(typed: &str) -> Vec<KeyEvent> {
    let mut keys = vec![];
    let mut rest = typed;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        if let Some((name, behind)) = named {
            keys.push(key(name));
            rest = behind;
        } else {
            keys.push(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
            rest = &rest[c.len_utf8()..];
        }
    }
    keys
}

fn key(name: &str) -> KeyEvent {
    name.parse::<Chord>().unwrap().event()
}

/// Types into `entry`, and tells what the last key came to.
fn types(entry: &mut Editor, typed: &str) -> KeyOutcome {
    let names = names();
    let mut last = KeyOutcome::Ignored;
    for key in keys(typed) {
        last = entry.key(key, &names);
    }
    last
}

/// The text with `|` where the cursor is.
fn marked(entry: &Editor) -> String {
    let mut text = entry.text().to_owned();
    text.insert(entry.line.pos(), '|');
    text
}

fn shown(entry: &Editor, width: u16, rows: u16) -> Vec<String> {
    let lines = entry.view(width, rows).lines;
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn readline_keys() {
    for (typed, want) in [
        ("hola", "hola|"),
        ("Ñandú漢👋🏽", "Ñandú漢👋🏽|"),
        ("hola<ctrl-a>", "|hola"),
        ("hola<ctrl-a><ctrl-e>!", "hola!|"),
        ("hola<ctrl-b><ctrl-b><ctrl-f>", "hol|a"),
        ("hola<home><right>", "h|ola"),
        ("hola<left><end>", "hola|"),
        (
            "e\u{301}漢👨\u{200d}👩\u{200d}👧<left><left>",
            "e\u{301}|漢👨\u{200d}👩\u{200d}👧",
        ),
        ("xe\u{301}<backspace>", "x|"),
        ("🇪🇸🇲🇽<backspace><ctrl-h>", "|"),
        ("hola<left><ctrl-d>", "hol|"),
        ("hola<home><delete>", "|ola"),
        ("one two-three<alt-b><alt-b>", "one |two-three"),
        ("one two-three<home><alt-f><alt-f>", "one two|-three"),
        ("one two<ctrl-left><ctrl-left><ctrl-right>", "one| two"),
        ("one two-three<ctrl-w>", "one |"),
        ("one two-three<alt-backspace>", "one two-|"),
        ("one two<home><alt-d>", "| two"),
        ("one two<alt-b><ctrl-k>", "one |"),
        ("one two<alt-b><ctrl-u>", "|two"),
        ("one two<alt-b><ctrl-u><end> <ctrl-y>", "two one |"),
        // What is cut in a row is one piece, in the order in which it stood.
        ("one two<ctrl-w><ctrl-w>x<ctrl-y>", "xone two|"),
        (
            "one two<home><alt-d><ctrl-k><ctrl-y><ctrl-y>",
            "one twoone two|",
        ),
        ("one two<ctrl-w><left><ctrl-k><ctrl-y>", "one |"),
        ("hloa<left><left><ctrl-t>", "hol|a"),
        ("ab<ctrl-t>", "ba|"),
        ("a<alt-enter>b<ctrl-j>c<shift-enter>d", "a\nb\nc\nd|"),
        ("a<alt-enter>bc<ctrl-a>", "a\n|bc"),
        ("abc<alt-enter>d<up>", "a|bc\nd"),
        ("a<alt-enter>bcd<up><down>", "a\nb|cd"),
        // The keys of a terminal that does not tell Shift apart, and of one that does.
        ("HOLA", "HOLA|"),
        ("hola<f1><ctrl-q><alt-z>", "hola|"),
        ("ho<ctrl-x>la", "hola|"),
        ("hola<ctrl-x><ctrl-a>", "|hola"),
    ] {
        let mut entry = Editor::default();
        types(&mut entry, typed);
        assert_eq!(marked(&entry), want, "{typed:?}");
    }
}

#[test]
fn what_a_key_comes_to() {
    for (typed, want) in [
        ("hola<enter>", KeyOutcome::Submit("hola".into())),
        ("a<alt-enter>b<enter>", KeyOutcome::Submit("a\nb".into())),
        ("/who #rust<enter>", KeyOutcome::Submit("/who #rust".into())),
        ("<enter>", KeyOutcome::Ignored),
        ("<ctrl-d>", KeyOutcome::Ignored),
        ("<esc>", KeyOutcome::Ignored),
        ("<f1>", KeyOutcome::Ignored),
        ("x<ctrl-c>", KeyOutcome::Ignored),
        ("x<ctrl-x>", KeyOutcome::Changed),
        ("x<ctrl-x><ctrl-e>", KeyOutcome::Editor("x".into())),
        ("<up>", KeyOutcome::Changed),
    ] {
        assert_eq!(types(&mut Editor::default(), typed), want, "{typed:?}");
    }
    let mut release = key("a");
    release.kind = KeyEventKind::Release;
    assert_eq!(
        Editor::default().key(release, &names()),
        KeyOutcome::Ignored
    );
}

#[test]
fn what_would_be_refused_stays_with_the_reason() {
    let mut entry = Editor::default();
    assert_eq!(types(&mut entry, "/jion #rust<enter>"), KeyOutcome::Changed);
    assert_eq!(marked(&entry), "/jion #rust|");
    let note = shown(&entry, 80, 3).pop().unwrap();
    assert!(note.starts_with("! there is no "), "{note}");
    // The next key takes the remark away, and it is no line of the past.
    types(&mut entry, "<left>");
    assert_eq!(shown(&entry, 80, 3), ["/jion #rust"]);
    types(&mut entry, "<ctrl-a><ctrl-k><up>");
    assert_eq!(entry.text(), "");
}

#[test]
fn a_text_that_is_too_long_says_so_as_soon_as_it_is() {
    let mut entry = Editor::default();
    entry.set_text(&"x".repeat(8192));
    assert_eq!(shown(&entry, 80, 5).len(), 5);
    assert!(
        shown(&entry, 80, 5)
            .iter()
            .all(|row| !row.contains("bytes"))
    );
    types(&mut entry, "é");
    let note = shown(&entry, 80, 5).pop().unwrap();
    assert!(note.contains("8194"), "{note}");
    assert_eq!(types(&mut entry, "<enter>"), KeyOutcome::Changed);
    assert_eq!(entry.text().len(), 8194);
    types(&mut entry, "<backspace>");
    assert!(matches!(
        types(&mut entry, "<enter>"),
        KeyOutcome::Submit(_)
    ));

    entry.set_text(&"x".repeat(MAX_BYTES));
    types(&mut entry, "y");
    assert_eq!(entry.text().len(), MAX_BYTES);
    let note = shown(&entry, 80, 5).pop().unwrap();
    assert!(note.contains("left out"), "{note}");
}

#[test]
fn lines_entered_before() {
    let mut entry = Editor::default();
    types(&mut entry, "one<enter>two<enter>dra");
    for (typed, want) in [
        ("<up>", "two|"),
        ("<ctrl-p>", "one|"),
        ("<up>", "one|"),
        ("<down>", "two|"),
        ("<ctrl-n>", "dra|"),
        ("<down>", "dra|"),
        // What one makes of an old line is a new one.
        ("<up>!<enter><up>", "two!|"),
        ("<up>", "two|"),
    ] {
        types(&mut entry, typed);
        assert_eq!(marked(&entry), want, "{typed:?}");
    }
    // Through the rows of a line of several first.
    entry.set_text("a\nb");
    types(&mut entry, "<enter><up><up>");
    assert_eq!(marked(&entry), "a|\nb");
    types(&mut entry, "<up>");
    assert_eq!(marked(&entry), "two!|");
    // A long line has rows too, as many as there are columns for.
    entry.set_text("123456789");
    entry.view(4, 5);
    types(&mut entry, "<up>");
    assert_eq!(marked(&entry), "12345|6789");
}

#[test]
fn tab_goes_round() {
    let mut entry = Editor::default();
    types(&mut entry, "an<tab>");
    assert_eq!(marked(&entry), "ana: |");
    assert_eq!(shown(&entry, 40, 3), ["ana: ", "ana  andrés"]);
    types(&mut entry, "<tab>");
    assert_eq!(marked(&entry), "andrés: |");
    types(&mut entry, "<esc>");
    assert_eq!(marked(&entry), "an|");
    types(&mut entry, "<tab>hi");
    assert_eq!(marked(&entry), "ana: hi|");
    assert_eq!(shown(&entry, 40, 3), ["ana: hi"]);
    types(&mut entry, " :tad<tab>");
    assert_eq!(marked(&entry), "ana: hi 🎉|");
}

#[test]
fn a_paste_of_several_lines_waits_for_a_word() {
    let mut entry = Editor::default();
    types(&mut entry, "so: <left>");
    entry.paste("a\r\nb\rc\n");
    assert_eq!(marked(&entry), "so:a\nb\nc| ");
    let rows = shown(&entry, 60, 9);
    assert_eq!(rows[..3], ["so:a", "b", "c "]);
    assert_eq!(rows[3], "3 lines pasted: Enter sends, Esc drops");
    types(&mut entry, "<up><esc>");
    assert_eq!(marked(&entry), "so:| ");
    entry.paste("x\ny");
    assert_eq!(
        types(&mut entry, "<enter>"),
        KeyOutcome::Submit("so:x\ny ".into())
    );

    // One that was changed is one's own.
    entry.paste("x\ny");
    types(&mut entry, "z");
    assert_eq!(types(&mut entry, "<esc>"), KeyOutcome::Ignored);
    assert_eq!(marked(&entry), "x\nyz|");
    assert_eq!(shown(&entry, 60, 9), ["x", "yz"]);

    // A single line is like typing, and its end sends nothing.
    entry.set_text("");
    entry.paste("hola\n");
    assert_eq!(marked(&entry), "hola|");
    assert_eq!(shown(&entry, 60, 9), ["hola"]);
    entry.paste("\u{1b}[31mred\u{7}\ttab");
    assert_eq!(entry.text(), "hola[31mred\ttab");
    entry.paste(&"x\n".repeat(MAX_BYTES));
    assert_eq!(entry.text(), "hola[31mred\ttab");
    let rows = shown(&entry, 60, 9);
    assert!(rows[1].contains("left out"), "{rows:?}");
}

#[test]
fn a_password_is_seen_and_kept_nowhere() {
    let mut entry = Editor::default();
    types(&mut entry, "a draft<left>");
    entry.set_purpose(PromptKind::Password);
    assert_eq!(entry.text(), "");
    types(&mut entry, "geheím<tab><up><alt-enter><ctrl-x><ctrl-e>");
    assert_eq!(shown(&entry, 20, 3), ["••••••"]);
    types(&mut entry, "<ctrl-u>");
    assert_eq!(entry.text(), "");
    entry.paste("geheim");
    entry.paste("a\nb");
    assert_eq!(shown(&entry, 80, 3)[0], "••••••");
    assert_eq!(
        types(&mut entry, "<enter>"),
        KeyOutcome::Submit("geheim".into())
    );
    assert_eq!(
        types(&mut entry, "<enter>"),
        KeyOutcome::Submit(String::new())
    );
    entry.set_purpose(PromptKind::Nickname);
    assert_eq!(
        types(&mut entry, "/x<enter>"),
        KeyOutcome::Submit("/x".into())
    );
    entry.set_purpose(PromptKind::Chat);
    assert_eq!(marked(&entry), "a draf|t");
    types(&mut entry, "<ctrl-y><up>");
    assert_eq!(marked(&entry), "a draf|t");
}

#[test]
fn a_long_entry_shows_the_rows_around_the_cursor() {
    let mut entry = Editor::default();
    entry.set_text("1\n2\n3\n4\n5\n6");
    let view = entry.view(10, 3);
    assert_eq!(
        (shown(&entry, 10, 3), view.cursor),
        (vec!["4".into(), "5".into(), "6".into()], (1, 2))
    );
    types(&mut entry, "<up><up><up>");
    assert_eq!(
        (shown(&entry, 10, 3), entry.view(10, 3).cursor.1),
        (vec!["2".into(), "3".into(), "4".into()], 1)
    );
    types(&mut entry, "<up><up>");
    assert_eq!(
        (shown(&entry, 10, 3), entry.view(10, 3).cursor.1),
        (vec!["1".into(), "2".into(), "3".into()], 0)
    );
    assert_eq!(entry.view(0, 0).lines.len(), 1);
}

#[test]
fn other_keys() {
    let mut keymap = edit_actions::default();
    keymap.rebind(Edit::Submit, [crate::keys::parse("ctrl-s").unwrap()]);
    let mut entry = Editor::new(InputHistory::default(), keymap);
    assert_eq!(types(&mut entry, "a<enter>"), KeyOutcome::Ignored);
    assert_eq!(
        types(&mut entry, "<ctrl-s>"),
        KeyOutcome::Submit("a".into())
    );
    // What is said of keys is said of those that there are.
    let note = |keys: &[&str]| {
        let mut keymap = edit_actions::default();
        keymap.rebind(Edit::Submit, [crate::keys::parse("ctrl-s").unwrap()]);
        keymap.rebind(
            Edit::Drop,
            keys.iter().map(|keys| crate::keys::parse(keys).unwrap()),
        );
        let mut entry = Editor::new(InputHistory::default(), keymap);
        entry.paste("x\ny");
        shown(&entry, 60, 9).pop().unwrap()
    };
    assert_eq!(
        note(&["ctrl-x ctrl-x"]),
        "2 lines pasted: Ctrl-S sends, Ctrl-X Ctrl-X drops"
    );
    assert_eq!(note(&[]), "2 lines pasted: Ctrl-S sends");
}

/// What is done to an entry.
#[derive(Debug, Clone)]
enum EditorInput {
    Key(KeyEvent),
    Paste(String),
    Prompt(PromptKind),
}

fn act() -> impl Strategy<Value = EditorInput> {
    let bound = edit_actions::BINDINGS
        .iter()
        .flat_map(|(_, _, keys, _)| keys.iter());
    let bound: Vec<KeyEvent> = bound.flat_map(|keys| keys.split(' ')).map(key).collect();
    let text = prop_oneof![
        Just("a"),
        Just(" "),
        Just("漢"),
        Just("\u{301}"),
        Just("\u{200d}"),
        Just("👩"),
        Just("🇪"),
        Just("\u{1f3fd}"),
        Just("ي"),
        Just("\u{202e}"),
        Just("/"),
        Just(":sm"),
        Just("an"),
        Just("क"),
        Just("\u{94d}"),
        Just("ᄀ"),
        Just("ᅡ"),
        Just("ﾞ"),
        Just("\u{fe0f}"),
    ];
    prop_oneof![
        6 => text.clone().prop_map(|text| {
            let c = text.chars().next().unwrap();
            EditorInput::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
        }),
        5 => proptest::sample::select(bound).prop_map(EditorInput::Key),
        1 => any::<char>().prop_map(|c| EditorInput::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))),
        1 => "\\PC{0,9}\n?\\PC{0,9}".prop_map(EditorInput::Paste),
        1 => proptest::collection::vec(text, 0..6).prop_map(|texts| EditorInput::Paste(texts.concat())),
        1 => prop_oneof![
            Just(PromptKind::Chat), Just(PromptKind::Chat), Just(PromptKind::Password), Just(PromptKind::Choice),
        ]
        .prop_map(EditorInput::Prompt),
    ]
}

proptest! {
    /// Whatever keys come in whatever order: nothing panics, the cursor is between two characters,
    /// no row is wider than there is room, and the cursor is on the screen where it is in the text.
    #[test]
    fn any_keys(acts in proptest::collection::vec(act(), 0..60), width in 1u16..12, rows in 1u16..6) {
        let names = names();
        let mut entry = Editor::default();
        for act in acts {
            match act {
                EditorInput::Key(key) => _ = entry.key(key, &names),
                EditorInput::Paste(text) => entry.paste(&text),
                EditorInput::Prompt(purpose) => entry.set_purpose(purpose),
            }
            let (text, cursor) = (entry.text(), entry.line.pos());
            let borders = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]);
            prop_assert!(borders.into_iter().any(|border| border == cursor), "{}", marked(&entry));
            let view = entry.view(width, rows);
            prop_assert!(view.lines.len() <= usize::from(rows).max(1));
            prop_assert!(view.cursor.0 < width && usize::from(view.cursor.1) < view.lines.len());
            let widest = text.graphemes(true).map(columns_of).max().unwrap_or(0);
            for line in &view.lines {
                let wide: u16 = line.iter().flat_map(|span| span.content.graphemes(true)).map(crate::tui::width_quirks::cells).sum();
                // A single character that is written out may be wider than all there is.
                prop_assert!(wide <= width.max(widest), "{line:?}");
                // What ratatui draws is as wide as what was counted.
                let mut drawn = Buffer::empty(Rect::new(0, 0, 300, 1));
                prop_assert_eq!(crate::tui::width_quirks::put_line(&mut drawn, (0, 0), line, 300), wide);
                prop_assert!(line.to_string().chars().all(|c| !crate::text::escape::is_escaped(c)));
            }
        }
    }
}

fn columns_of(cluster: &str) -> u16 {
    if cluster.contains(char::is_control)
        || crate::tui::width_quirks::cells(cluster) == 0
        || cluster.chars().any(crate::text::escape::is_escaped)
    {
        return u16::try_from(cluster.chars().flat_map(char::escape_unicode).count()).unwrap();
    }
    crate::tui::width_quirks::cells(cluster)
}
