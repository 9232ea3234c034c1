//! The page: plain HTML, CSS and ES modules, part of the program, so that it needs no other host.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{ServiceConfig, get};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type, content.
const FILES: [(&str, &str, &str); 7] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/style.css", CSS, include_str!("page/style.css")),
    ("/app.js", SCRIPT, include_str!("page/app.js")),
    ("/link.js", SCRIPT, include_str!("page/link.js")),
    ("/talks.js", SCRIPT, include_str!("page/talks.js")),
    ("/view.js", SCRIPT, include_str!("page/view.js")),
    ("/words.js", SCRIPT, include_str!("page/words.js")),
];

pub(super) fn routes(config: &mut ServiceConfig) {
    for (path, kind, content) in FILES {
        let answer = move || async move {
            HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, kind))
                // A new server has a new page, and over loopback it costs nothing to ask.
                .insert_header((CACHE_CONTROL, "no-cache"))
                .body(content)
        };
        config.route(path, get().to(answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_has_no_inline_script_or_foreign_host() {
        let bytes: usize = FILES.iter().map(|(_, _, content)| content.len()).sum();
        assert!(bytes < 60_000, "{bytes} bytes");
        for (path, _, content) in FILES {
            for forbidden in [
                "innerHTML",
                "document.write",
                "style=",
                "onclick=",
                "http://",
                "https://",
            ] {
                assert!(!content.contains(forbidden), "{path}: {forbidden}");
            }
        }
    }
}
