//! The page: plain HTML, CSS and ES modules, part of the program, so that it needs no other host.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

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
        let tag = format!("\"{:08x}\"", crc32fast::hash(content.as_bytes()));
        let answer = move |request: HttpRequest| {
            let response = file(&request, kind, &tag, content);
            async move { response }
        };
        config.service(super::resource(path, answer));
    }
}

/// A file of the page; not again where the client has it.
fn file(request: &HttpRequest, kind: &str, tag: &str, content: &'static str) -> HttpResponse {
    let mut known = request.headers().get_all(IF_NONE_MATCH);
    let is_known = known.any(|tags| {
        let mut tags = tags.as_bytes().split(|&byte| byte == b',');
        tags.any(|known| known.trim_ascii().ends_with(tag.as_bytes()))
    });
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, tag))
        // A new server has a new page, and to ask costs little.
        .insert_header((CACHE_CONTROL, "no-cache"));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, kind)).body(content)
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
