//! The page in a real browser: Debian's Chromium and its driver, over WebDriver.
//!
//! | file | what |
//! | --- | --- |
//! | [`browser`] | a browser of its own for each person, and what that person does and sees |
//! | [`entering`] | names, passwords, languages |
//! | [`talking`] | conversations, with each other and with the client for terminals |
//! | [`returning`] | lost connections, reloads, a server that was killed |
//! | [`typing`] | drafts, commands, input methods, indented text |
//! | [`holding`] | closing servers, half-open connections, clocks |
//! | [`unread`] | what is new, and days |
//! | [`scripts`] | mentions, directions, words, plurals, times |
//! | [`colours`] | of nicks |
//! | [`reading`] | much that was said |
//! | [`looking`] | on what screen, in what light, without a mouse, without seeing it |
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod colours;
mod entering;
mod holding;
mod looking;
mod reading;
mod returning;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod talking;
mod typing;
mod unread;

use std::env;

use libtest_mimic::{Arguments, Trial};
use support::{Home, Server, TestClient};

/// Makes a trial of each of these functions.
macro_rules! trials {
    ($($module:ident::{$($name:ident),+ $(,)?},)+) => {
        vec![$($(Trial::test(
            concat!(stringify!($module), "::", stringify!($name)),
            || {
                $module::$name();
                Ok(())
            },
        )),+),+]
    };
}

/// Without a browser the tests are reported as ignored, except in CI, where they fail.
fn main() {
    let is_ignored = env::var_os("CI").is_none() && !browser::is_installed();
    let trials = trials![
        colours::{colours_can_be_read_and_told_apart_in_the_light_and_in_the_dark, people_in_one_channel_have_different_colours_that_stay},
        entering::{a_name_that_is_taken_or_none_is_told_in_words_and_another_one_is_welcome, a_protected_name_asks_for_its_password_and_one_can_protect_a_name, another_password_signs_others_out_and_keeps_the_page_in, the_page_speaks_the_language_that_the_browser_asks_for},
        holding::{the_wait_grows_until_a_connection_has_lasted_and_no_request_is_repeated_without_bound, a_half_open_connection_is_noticed_within_a_minute_whatever_the_clocks_say, what_was_said_meanwhile_in_a_server_that_was_empty_is_shown},
        looking::{screens_of_any_size_and_light_show_all_and_can_be_read, who_does_not_see_it_is_told_what_everything_is_and_what_is_new, everything_can_be_done_by_keyboard_and_the_focus_is_seen},
        reading::{older_pages_come_on_scroll_and_what_one_reads_stays_where_it_is, a_very_long_conversation_scrolls_with_few_elements},
        returning::{after_a_kill_nothing_is_missing_or_there_twice_and_what_was_typed_is_said_once, a_reload_goes_on_where_one_was_with_what_waits, who_has_lost_the_name_is_asked_before_anything_is_said_under_another, where_messages_are_missing_it_is_shown_and_they_can_be_had},
        scripts::{mentions_are_those_of_the_table_that_all_clients_share, names_are_folded_as_by_the_protocol, each_text_has_its_own_direction, errors_are_sentences_and_counts_and_times_are_the_readers, who_is_banned_reads_until_when_in_the_own_language_and_time},
        talking::{two_browsers_and_a_terminal_hold_a_conversation, markup_and_script_are_shown_as_text, a_call_from_elsewhere_is_notified_only_where_that_was_asked_for, what_is_seen_can_be_recorded_and_downloaded, in_a_crowd_the_number_of_people_is_right_again_when_one_looks},
        typing::{a_refused_message_and_a_draft_outlive_an_edit_a_reconnection_and_a_reload, what_is_no_command_or_cannot_be_done_now_stays_in_the_entry, a_draft_comes_back_with_the_channel_that_it_was_for, a_text_that_is_too_long_fails_and_the_connection_stays, the_enter_that_ends_a_composition_does_not_send, an_indented_text_is_said_and_shown_as_it_is},
        unread::{who_returns_to_a_hidden_tab_sees_where_the_new_begins, an_unread_conversation_opened_after_a_reload_says_where_the_new_begins, at_midnight_today_becomes_yesterday, days_without_a_midnight_and_of_25_hours_are_days},
    ];
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(is_ignored))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A server with a page that keeps its address over a restart.
fn home(limits: &str) -> (Home, Server) {
    let home = Home::new(limits);
    home.configure("[listen]\n", "[listen]\nweb = \"127.0.0.1:0\"\n");
    let server = home.start();
    let address = server.web_address.unwrap();
    home.configure("web = \"127.0.0.1:0\"\n", &format!("web = \"{address}\"\n"));
    (home, server)
}

/// Somebody without a browser says something, and it is recorded.
fn tells(client: &mut TestClient, to: &str, text: &str, id: &str) {
    client.say(to, text, id);
    let answers = [client.next(), client.next()].map(|answer| answer["type"].clone());
    assert!(answers.contains(&"ack".into()) && answers.contains(&"message".into()));
}
