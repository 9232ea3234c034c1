//! The page: plain HTML, CSS and ES modules, part of the program, so that it needs no other host.

use std::io::{self, Write as _};
use std::sync::LazyLock;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, VARY,
};
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

/// Path, type, content.
static FILES: [(&str, &str, &str); 19] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/style.css", CSS, include_str!("page/style.css")),
    ("/icon.svg", ICON, include_str!("page/icon.svg")),
    // Asked for without having been named.
    ("/favicon.ico", ICON, include_str!("page/icon.svg")),
    ("/app.js", SCRIPT, include_str!("page/app.js")),
    ("/chat.js", SCRIPT, include_str!("page/chat.js")),
    ("/colours.js", SCRIPT, include_str!("page/colours.js")),
    ("/crowd.js", SCRIPT, include_str!("page/crowd.js")),
    ("/fold.js", SCRIPT, include_str!("page/fold.js")),
    ("/kept.js", SCRIPT, include_str!("page/kept.js")),
    ("/lines.js", SCRIPT, include_str!("page/lines.js")),
    ("/link.js", SCRIPT, include_str!("page/link.js")),
    ("/log.js", SCRIPT, include_str!("page/log.js")),
    ("/side.js", SCRIPT, include_str!("page/side.js")),
    ("/talks.js", SCRIPT, include_str!("page/talks.js")),
    ("/text.js", SCRIPT, include_str!("page/text.js")),
    ("/tools.js", SCRIPT, include_str!("page/tools.js")),
    ("/typed.js", SCRIPT, include_str!("page/typed.js")),
    ("/words.js", SCRIPT, include_str!("page/words.js")),
];

/// The files again, for browsers that take them packed: packed when the first one asks.
static PACKED: LazyLock<Vec<Option<Bytes>>> =
    LazyLock::new(|| FILES.map(|(_, _, content)| pack(content).ok()).to_vec());

fn pack(content: &str) -> io::Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(content.as_bytes())?;
    Ok(packed.finish()?.into())
}

pub(super) fn routes(config: &mut ServiceConfig) {
    for (number, (path, _, _)) in FILES.iter().enumerate() {
        let answer = move |request: HttpRequest| async move { file(&request, number) };
        config.service(super::resource(path, answer));
    }
}

/// Whether a list of a request's header has an entry that ends so.
fn lists(request: &HttpRequest, name: HeaderName, entry: &str) -> bool {
    request.headers().get_all(name).any(|list| {
        let mut entries = list.as_bytes().split(|&byte| byte == b',');
        entries.any(|known| known.trim_ascii().ends_with(entry.as_bytes()))
    })
}

/// A file of the page, packed for who takes that; not again where the client has it.
fn file(request: &HttpRequest, number: usize) -> HttpResponse {
    let (_, kind, content) = FILES[number];
    let packed = PACKED[number]
        .as_ref()
        .filter(|_| lists(request, ACCEPT_ENCODING, "gzip"));
    let form = if packed.is_some() { "-gzip" } else { "" };
    let tag = format!("\"{:08x}{form}\"", crc32fast::hash(content.as_bytes()));
    let is_known = lists(request, IF_NONE_MATCH, &tag);
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, tag))
        .insert_header((VARY, "Accept-Encoding"))
        // A new server has a new page, and to ask costs little.
        .insert_header((CACHE_CONTROL, "no-cache"));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, kind));
    match packed {
        Some(packed) => response
            .insert_header((CONTENT_ENCODING, "gzip"))
            .body(packed.clone()),
        None => response.body(content),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn content(path: &str) -> &'static str {
        let file = FILES.iter().find(|(known, _, _)| *known == path);
        file.unwrap().2
    }

    #[test]
    fn the_page_is_small() {
        let bytes: usize = PACKED.iter().flatten().map(Bytes::len).sum();
        assert!(bytes < 60_000, "{bytes} bytes");
    }

    #[test]
    fn there_is_no_inline_script_or_foreign_host() {
        for (path, _, content) in FILES {
            // The name of a vocabulary, which nobody asks for.
            let content = content.replace("http://www.w3.org/2000/svg", "");
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "style=",
                "onclick=\"",
                "http://",
                "https://",
                "url(",
            ] {
                assert!(!content.contains(forbidden), "{path}: {forbidden}");
            }
        }
    }

    /// Key and what it is in English, Spanish and Russian.
    fn words() -> Vec<(&'static str, Vec<String>)> {
        let rows = content("/words.js").lines().filter_map(|line| {
            let (key, texts) = line.strip_prefix("  ")?.split_once(": [")?;
            let texts = format!("[{}", texts.strip_suffix(',')?);
            Some((key, serde_json::from_str(&texts).expect(&texts)))
        });
        rows.collect()
    }

    #[test]
    fn every_text_is_there_in_each_language_with_the_same_values() {
        let words = words();
        assert!(words.len() > 50, "{}", words.len());
        for (key, texts) in words {
            let places = |text: &str| -> BTreeSet<_> {
                text.match_indices('{')
                    .map(|(at, _)| text[at..at + 3].to_owned())
                    .collect()
            };
            assert_eq!(texts.len(), 3, "{key}");
            for text in &texts {
                assert!(!text.trim().is_empty(), "{key}");
                assert_eq!(places(text), places(&texts[0]), "{key}: {text}");
            }
        }
    }

    #[test]
    fn every_error_has_its_sentence() {
        let known: BTreeSet<_> = words().into_iter().map(|(key, _)| key).collect();
        let codes = chat_proto::ErrorCode::ALL.map(|code| code.to_string());
        let missing = codes.iter().filter(|code| !known.contains(code.as_str()));
        assert_eq!(missing.collect::<Vec<_>>(), [&""; 0]);
    }

    #[test]
    fn every_text_that_is_asked_for_is_there() {
        let known: BTreeSet<_> = words().into_iter().map(|(key, _)| key).collect();
        let mut used = BTreeSet::new();
        for (_, _, content) in FILES {
            for opening in [" t(\"", "(t(\"", "{t(\"", "data-t=\"", "data-t-label=\""] {
                let pieces = content.split(opening).skip(1);
                used.extend(pieces.filter_map(|piece| piece.split('"').next()));
            }
        }
        assert!(used.len() > 40, "{}", used.len());
        assert_eq!(used.difference(&known).collect::<Vec<_>>(), [&""; 0]);
    }
}
