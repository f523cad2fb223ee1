//! What people get to see.

use insta::assert_snapshot;
use tribunal_conformance::parity::render;

use crate::{fixture, markup, written};

/// A page without its style sheet.
fn body(page: &str) -> &str {
    let (_, body) = page.split_once("<body>\n").unwrap();
    body
}

#[test]
fn as_text() {
    assert_snapshot!("everything_text", written(|out| render::text(&fixture::everything(), out, Some(100))));
    assert_snapshot!("agreeing_text", written(|out| render::text(&fixture::agreeing(), out, Some(100))));
    assert_snapshot!(
        "mutants_text",
        written(|out| render::mutation_text(&fixture::mutants(), out, Some(160)))
    );
}

#[test]
fn as_markdown() {
    assert_snapshot!("everything_markdown", written(|out| render::markdown(&fixture::everything(), out)));
    assert_snapshot!("agreeing_markdown", written(|out| render::markdown(&fixture::agreeing(), out)));
    assert_snapshot!("mutants_markdown", written(|out| render::mutation_markdown(&fixture::mutants(), out)));
}

#[test]
fn as_junit() {
    assert_snapshot!("everything_junit", written(|out| render::junit(&fixture::everything(), out)));
    assert_snapshot!("agreeing_junit", written(|out| render::junit(&fixture::agreeing(), out)));
}

#[test]
fn as_a_page() {
    let page = written(|out| render::html(&fixture::everything(), out));
    assert_snapshot!("everything_html", body(&page));
    let page = written(|out| render::html(&fixture::agreeing(), out));
    assert_snapshot!("agreeing_html", body(&page));
    let page = written(|out| render::mutation_html(&fixture::mutants(), out));
    assert_snapshot!("mutants_html", body(&page));
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for page in [
        written(|out| render::html(&fixture::everything(), out)),
        written(|out| render::mutation_html(&fixture::mutants(), out)),
    ] {
        let (head, _) = page.split_once("<body>").unwrap();
        assert!(!head.contains("url(") && !head.contains("@import") && !head.contains("http:"), "{head}");
        assert!(head.contains("default-src 'none'"), "{head}");
        let markup = markup::read(&page).unwrap();
        for loads in ["script", "img", "iframe", "object", "embed", "base", "form", "link"] {
            assert!(!markup.elements.iter().any(|element| element == loads), "{loads}");
        }
        assert!(!markup.attributes.iter().any(|name| name.starts_with("on") || name == "src"));
        // All links lead to parts of the same page.
        let links: Vec<&str> =
            page.split("href=\"").skip(1).map(|after| after.split_once('"').unwrap().0).collect();
        for link in &links {
            let part = format!("id=\"{}\"", link.strip_prefix('#').unwrap());
            assert!(page.contains(&part), "{part}");
        }
        assert!(!links.is_empty());
    }
}

#[test]
fn text_is_as_wide_as_it_may_be() {
    for width in [60, 80, 120] {
        let text = written(|out| render::text(&fixture::everything(), out, Some(width)));
        // JSON stands as it is, so that it can be copied.
        let longest = text.lines().filter(|line| !line.contains('"')).map(|line| line.chars().count()).max();
        assert!(longest.unwrap() <= width, "{longest:?} of {width}");
    }
}

#[test]
fn whoever_is_alone_agrees_with_nobody() {
    let mut report = fixture::agreeing();
    for one in report.participants.iter_mut().skip(1) {
        one.refused = Some("absent".to_owned());
    }
    let text = written(|out| render::text(&report, out, None));
    assert!(text.starts_with("nothing was compared: only rego-wasm could be asked"), "{text}");
}

#[test]
fn nothing_asked_is_no_agreement() {
    let mut report = fixture::agreeing();
    report.cases.clear();
    report.search.as_mut().unwrap().compared = 0;
    let text = written(|out| render::text(&report, out, None));
    assert!(text.starts_with("rego-wasm, rego-native and cedar were asked nothing\n"), "{text}");
}

#[test]
fn an_objection_alone_makes_junit_fail() {
    let mut report = fixture::agreeing();
    assert!(!written(|out| render::junit(&report, out)).contains("<failure"));
    report.objections.push("something else".to_owned());
    assert!(
        written(|out| render::junit(&report, out))
            .contains("<failure message=\"not proven to agree: 1 objection\">something else<")
    );
}
