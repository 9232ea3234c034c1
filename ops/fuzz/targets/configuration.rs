//! A configuration of any text: an error for people, or one that is printed and read back the same.
#![no_main]

use chat_server::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(config) = toml::from_str::<Config>(text) {
        let again: Config = toml::from_str(&config.to_toml()).expect("what is printed is read");
        assert_eq!(again, config);
    }
});
