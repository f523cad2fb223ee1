//! HTML and Markdown: what a reader sees and does not see, and where links and images lead.
//!
//! Nobody knows who will render a text, so it is read as Markdown and twice as HTML, with and without the elements whose
//! content is no markup (`<script>`, `<textarea>`, …): what is hidden, a link or an image to one of them is so.

mod html;
mod markdown;
mod style;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::fold::{TooDeep, clean, plain};
use super::mapped::Mapped;
use super::{Segment, part};

/// What there is in a text besides its words.
#[derive(Debug, Clone, Default)]
pub(in crate::derive) struct Markup {
    /// What a reader sees.
    pub(in crate::derive) visible: Mapped,
    /// What a reader does not see, folded.
    pub(in crate::derive) hidden: Vec<Segment>,
    /// Where links lead.
    pub(in crate::derive) links: Vec<Segment>,
    /// Where images and other things that are fetched unasked come from.
    pub(in crate::derive) images: Vec<Segment>,
}

/// What one reading finds; texts are as written, or as the reading decodes them.
#[derive(Debug, Default)]
struct Reading {
    hidden: Vec<Segment>,
    links: Vec<Segment>,
    images: Vec<Segment>,
    /// What is shown, in order.
    shown: Vec<Range<usize>>,
    /// Where lines end that the source does not end.
    breaks: Vec<usize>,
}

impl Reading {
    fn hide(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.hidden.push(Segment { span, text: text.into() });
    }

    fn link(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.links.push(Segment { span, text: text.into() });
    }

    fn image(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.images.push(Segment { span, text: text.into() });
    }
}

/// URLs that stand in a text as they are.
#[expect(clippy::expect_used, reason = "a literal that the tests compile")]
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)\bhttps?://[^\s<>"'`]+"#,
        r#"|\bdata:(?:[a-z]{1,20}/[a-z0-9.+-]{1,60})?(?:;[a-z0-9=-]{1,60}){0,4},[^\s<>"'`]*"#,
    ))
    .expect("the pattern is valid")
});

/// Reads a text.
///
/// # Errors
/// Where what is hidden cannot be folded.
pub(in crate::derive) fn read(source: &str) -> Result<Markup, TooDeep> {
    let markdown = markdown::read(source);
    let (html, literal) = html::read(source);
    let visible = visible(source, &html, &markdown.shown);
    let mut markup = Markup { visible, ..Markup::default() };
    for reading in [Some(markdown), Some(html), literal].into_iter().flatten() {
        markup.hidden.extend(reading.hidden);
        markup.links.extend(reading.links);
        markup.images.extend(reading.images);
    }
    for segment in &mut markup.hidden {
        segment.text = plain(&segment.text)?.text().trim().to_owned();
    }
    for segment in markup.links.iter_mut().chain(&mut markup.images) {
        segment.text = clean(&segment.text).text().chars().filter(|char| !char.is_ascii_control()).collect();
        segment.text = segment.text.trim().to_owned();
    }
    for segments in [&mut markup.hidden, &mut markup.links, &mut markup.images] {
        segments.retain(|segment| !segment.text.is_empty() && !part(source, segment.span.clone()).is_empty());
        segments
            .sort_by(|a, b| (a.span.start, a.span.end, &a.text).cmp(&(b.span.start, b.span.end, &b.text)));
        segments.dedup();
    }
    let bare = bare(source, &markup);
    markup.links.extend(bare);
    markup.links.sort_by_key(|segment| (segment.span.start, segment.span.end));
    Ok(markup)
}

/// URLs that no link or image holds.
fn bare(source: &str, markup: &Markup) -> Vec<Segment> {
    let mut held: Vec<&Range<usize>> =
        markup.links.iter().chain(&markup.images).map(|segment| &segment.span).collect();
    held.sort_by_key(|span| span.start);
    let mut held = held.into_iter().peekable();
    let mut end = 0;
    let mut found = Vec::new();
    for url in BARE.find_iter(source) {
        while let Some(span) = held.next_if(|span| span.start <= url.start()) {
            end = end.max(span.end);
        }
        let text = url.as_str();
        // A sentence ends after a URL as after a word; what a `data:` URL holds may end in anything.
        let is_data = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
        let ends = [',', '.', ';', ':', '!', '?', ')', ']', '}', '*', '_'];
        let text = if is_data { text } else { text.trim_end_matches(ends) };
        if url.start() >= end {
            found.push(Segment { span: url.start()..url.start() + text.len(), text: text.to_owned() });
        }
    }
    found
}

impl Markup {
    /// What a reader sees, line by line.
    pub(in crate::derive) fn lines(&self) -> String {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> =
            self.visible.text().lines().map(words).filter(|line| !line.is_empty()).collect();
        lines.join("\n")
    }
}

/// What both a browser and a reader of Markdown show.
fn visible(source: &str, html: &Reading, markdown: &[Range<usize>]) -> Mapped {
    let mut visible = Mapped::default();
    let mut breaks = html.breaks.iter().copied().peekable();
    let mut end_of_last = 0;
    for shown in intersection(&html.shown, markdown) {
        let is_broken = part(source, end_of_last..shown.start).contains('\n')
            || std::iter::from_fn(|| breaks.next_if(|at| *at <= shown.start)).count() > 0;
        if is_broken {
            visible.push('\n', end_of_last..shown.start);
        }
        end_of_last = shown.end;
        visible.append(&clean(part(source, shown.clone())), shown.start);
    }
    visible
}

/// What lies in both of two lists of ranges, each in order and without overlaps.
fn intersection(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (ones.peek(), others.peek()) {
        let both = a.start.max(b.start)..a.end.min(b.end);
        if both.start < both.end {
            found.push(both);
        }
        if a.end <= b.end {
            ones.next();
        } else {
            others.next();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hidden(source: &str) -> Vec<(&str, String)> {
        pairs(source, read(source).unwrap().hidden)
    }

    fn pairs(source: &str, segments: Vec<Segment>) -> Vec<(&str, String)> {
        segments.into_iter().map(|segment| (part(source, segment.span), segment.text)).collect()
    }

    #[test]
    fn what_html_hides_is_found_with_its_construct() {
        for (source, construct, text) in [
            ("a <!-- Do\u{a0}it --> b", "<!-- Do\u{a0}it -->", "do it"),
            ("a <!-- never closed", "<!-- never closed", "never closed"),
            ("a <! odd > b", "<! odd >", "odd"),
            ("<?php odd ?>b", "<?php odd ?>", "?php odd ?"),
            ("a<p hidden>x<b>y</b></p>b", "<p hidden>x<b>y</b></p>", "xy"),
            ("a<p hidden>x<p>seen", "<p hidden>x", "x"),
            ("<div HIDDEN=until-found>x", "<div HIDDEN=until-found>x", "x"),
            ("<span aria-hidden='true'>x</span>", "<span aria-hidden='true'>x</span>", "x"),
            ("<i style=\"display:none\">x</i>", "<i style=\"display:none\">x</i>", "x"),
            ("<i style='font-size:0'>a<i>b</i>c</i>d", "<i style='font-size:0'>a<i>b</i>c</i>", "abc"),
            ("<p style='color:#fff'>x</p>", "<p style='color:#fff'>x</p>", "x"),
            ("<font color=white>x</font>", "<font color=white>x</font>", "x"),
            ("<table bgcolor=maroon><td style='color:#810101'>x</table>", "<td style='color:#810101'>x", "x"),
            ("<style>.x,#z{display:none}</style><b class='a x'>y</b>", "<b class='a x'>y</b>", "y"),
            ("<b id=z>y</b><style>@media all{#z{opacity:0}}</style>", "<b id=z>y</b>", "y"),
            ("<script>let x = '<b>';</script>", "<script>let x = '<b>';</script>", "let x = '<b>';"),
            ("<script>rest of it", "<script>rest of it", "rest of it"),
            ("<template><p>x</template>", "<template><p>x</template>", "x"),
            ("<noscript>x</noscript>y", "<noscript>x</noscript>", "x"),
            ("<img src=a alt='Do &amp; don&#39;t'>", "alt='Do &amp; don&#39;t'", "do & don't"),
            ("<img alt=do src=a>", "alt=do", "do"),
            ("<a href=a title=\"do\">b</a>", "title=\"do\"", "do"),
            ("<button aria-label=do>b", "aria-label=do", "do"),
            ("<meta name=x content='do it'>", "content='do it'", "do it"),
            ("<input type=hidden value='do'>", "value='do'", "do"),
            ("<p data-x='do'>b", "data-x='do'", "do"),
            ("<input placeholder='do'>", "placeholder='do'", "do"),
            ("<input value='do'>", "value='do'", "do"),
            ("<title>do it</title>x", "<title>do it</title>", "do it"),
            ("<svg><desc>do it</desc></svg>x", "<desc>do it</desc>", "do it"),
            ("<canvas>do <b>it</b></canvas>x", "<canvas>do <b>it</b></canvas>", "do it"),
            ("<video src=a>do it</video>x", "<video src=a>do it</video>", "do it"),
            ("<iframe src=a>do it</iframe>x", "<iframe src=a>do it</iframe>", "do it"),
            ("<dialog>do it</dialog>x", "<dialog>do it</dialog>", "do it"),
            ("<p>x</p hidden>y", "</p hidden>", "hidden"),
            ("<!DOCTYPE html \"do it\">y", "<!DOCTYPE html \"do it\">", "html \"do it\""),
            // What a browser drops at the end of a text.
            ("a <p title=\"do it", "<p title=\"do it", "<p title=\"do it"),
            ("a</p do it", "</p do it", "</p do it"),
            ("<p style='display: none ! important'>x</p>", "<p style='display: none ! important'>x</p>", "x"),
            ("<p style='display:/**/none'>x</p>", "<p style='display:/**/none'>x</p>", "x"),
            ("<p style='a:url(/*);display:none'>x</p>", "<p style='a:url(/*);display:none'>x</p>", "x"),
            ("<style>a{b:url(/*)}p{display:none}</style><p>x</p>", "<p>x</p>", "x"),
            ("\r\n<p\r\nhidden\r\n>é\r\n</p>\r\n", "<p\r\nhidden\r\n>é\r\n</p>", "e"),
        ] {
            let found = hidden(source);
            assert!(found.contains(&(construct, text.to_owned())), "{source}: {found:?}");
        }
    }

    #[test]
    fn a_flood_of_attributes_is_no_trap() {
        read(&format!("<input {}>", "value=x ".repeat(1 << 17))).unwrap();
    }

    #[test]
    fn what_markdown_hides_is_found_with_its_construct() {
        for (source, construct, text) in [
            ("x ![do *it*](a.png) y", "![do *it*](a.png)", "do it"),
            ("x ![a](a.png 'do') y", "![a](a.png 'do')", "do"),
            ("[a](b \"do\")", "[a](b \"do\")", "do"),
            ("[//]: # (do it)\n", "[//]: # (do it)", "do it"),
            ("[//]: # (one)\n[//]: # \"two\"\n", "[//]: # \"two\"", "two"),
            ("[do it]: https://a.test\n", "[do it]: https://a.test", "do it"),
            ("[a]\n\n[a]: b 'do'\n", "[a]: b 'do'", "do"),
            ("[comment]: <> (do it)\n", "[comment]: <> (do it)", "do it"),
            ("[a]: <> (one)\n[a]: <> (two)\n", "[a]: <> (two)", "two"),
            ("x\n\n[^1]: do it\n", "[^1]: do it\n", "[^1]: do it"),
            ("> [//]: # (do it)\n", "[//]: # (do it)", "do it"),
            // Names that take more than a line, or hold a bracket.
            ("[do\nit]: b\n", "[do\nit]: b", "do it"),
            ("[do \\] it]: b\n", "[do \\] it]: b", "do \\] it"),
            ("[a\\]]: b 'do it'\n", "[a\\]]: b 'do it'", "do it"),
            ("![a ![do](b)](c)", "![do](b)", "do"),
            ("```x do it\ny\n```", "```x do it", "x do it"),
        ] {
            let found = hidden(source);
            assert!(found.contains(&(construct, text.to_owned())), "{source}: {found:?}");
        }
    }

    #[test]
    fn what_is_seen_is_not_hidden() {
        for source in [
            "plain text, a < b > c & d",
            "<p style='color:#000'>x</p>",
            "<p style='background:#000;color:#fff'>x</p>",
            "<div style='background:url(a.png)'><p style='color:#fff'>x</p></div>",
            "<b class=x>y</b><style>.z{color:red}</style>".trim_end_matches("<style>.z{color:red}</style>"),
            "<img src=a alt=''><!---->",
            "[a](b) and [c]\n\n[c]: d\n",
            "note[^1]\n\n[^1]: the note\n",
            "`<b>` and <span>x</span>",
            "<!doctype html>x",
            "<dialog open>x</dialog>",
            "<input type=submit value=send>",
        ] {
            assert_eq!(hidden(source), [], "{source}");
        }
    }

    #[test]
    fn links_and_images_are_found_once() {
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: [(&str, Pairs, Pairs); 17] = [
            ("[a](https://x.test/ 't') b", &[("[a](https://x.test/ 't')", "https://x.test/")], &[]),
            ("![a](https://x.test/i)", &[], &[("![a](https://x.test/i)", "https://x.test/i")]),
            ("[![a](i.png)](b)", &[("[![a](i.png)](b)", "b")], &[("![a](i.png)", "i.png")]),
            ("<https://x.test>", &[("<https://x.test>", "https://x.test")], &[]),
            ("see HTTPS://x.test/a, ok", &[("HTTPS://x.test/a", "HTTPS://x.test/a")], &[]),
            (
                "[https://x.test](https://y.test)",
                &[("[https://x.test](https://y.test)", "https://y.test")],
                &[],
            ),
            ("[a][b] [b]\n\n[b]: https://x.test\n", &[("[b]: https://x.test", "https://x.test")], &[]),
            ("![a][b]\n\n[b]: https://x.test\n", &[], &[("[b]: https://x.test", "https://x.test")]),
            (
                "<a href=\"https://x.test/?a=1&amp;b\">c</a>",
                &[("href=\"https://x.test/?a=1&amp;b\"", "https://x.test/?a=1&b")],
                &[],
            ),
            ("<a href='https://x.\ntest'>", &[("href='https://x.\ntest'", "https://x.test")], &[]),
            ("<img alt=a src=b.png>", &[], &[("<img alt=a src=b.png>", "b.png")]),
            (
                "<img srcset='a.png 1x, b.png 2x'>",
                &[],
                &[
                    ("<img srcset='a.png 1x, b.png 2x'>", "a.png"),
                    ("<img srcset='a.png 1x, b.png 2x'>", "b.png"),
                ],
            ),
            ("<p style='background:url(\"a.png\")'>", &[], &[("style='background:url(\"a.png\")'", "a.png")]),
            ("<style>p{background:URL(a.png)}</style>", &[], &[("p{background:URL(a.png)}", "a.png")]),
            ("<form action=/x><iframe src=/y>", &[("action=/x", "/x"), ("src=/y", "/y")], &[]),
            ("<meta http-equiv=refresh content='0; URL=/x'>", &[("content='0; URL=/x'", "/x")], &[]),
            (
                "data:text/html;base64,PGI+ b",
                &[("data:text/html;base64,PGI+", "data:text/html;base64,PGI+")],
                &[],
            ),
        ];
        for (source, links, images) in cases {
            let markup = read(source).unwrap();
            let owned =
                |pairs: Pairs| pairs.iter().map(|(span, url)| (*span, (*url).to_owned())).collect::<Vec<_>>();
            assert_eq!(pairs(source, markup.links), owned(links), "{source}");
            assert_eq!(pairs(source, markup.images), owned(images), "{source}");
        }
    }

    #[test]
    fn no_reading_hides_from_another() {
        let image =
            |source: &str| read(source).unwrap().images.iter().any(|image| image.text.contains("evil"));
        for source in [
            "`<script>` ![](https://evil.test/x)",
            "<textarea><!--</textarea><img src=https://evil.test>-->",
            "<!-- --><img src=https://evil.test>",
            "<script>/*</script><img src=https://evil.test>*/",
            "<title></title x><img src=//evil>",
            "    ![](https://evil.test/x) <img src=https://evil.test>",
        ] {
            assert!(image(source), "{source}");
        }
    }

    #[test]
    fn visible_text_is_what_readers_see() {
        for (source, seen) in [
            ("<h1>Title</h1><p>One <b>two</b>&nbsp;&amp; three<br>four</p>", "Title\nOne two & three\nfour"),
            (
                "# Title\n\nSome *bold* [link](u 't') and `code`\n\n- item",
                "Title\nSome bold link and code\nitem",
            ),
            ("a<!-- no -->b<p hidden>no</p><script>no</script>c", "ab\nc"),
            ("x ![no](y) z", "x z"),
            ("[//]: # (no)\n\nyes <https://x.test>", "yes https://x.test"),
            ("", ""),
        ] {
            assert_eq!(read(source).unwrap().lines(), seen, "{source}");
        }
    }

    proptest! {
        #[test]
        fn spans_lie_on_characters(pieces in proptest::collection::vec(piece(), 0..14)) {
            let source = pieces.concat();
            let markup = read(&source).unwrap();
            for segment in markup.hidden.iter().chain(&markup.links).chain(&markup.images) {
                prop_assert!(source.get(segment.span.clone()).is_some_and(|part| !part.is_empty()), "{segment:?}");
            }
        }

        #[test]
        fn a_comment_between_anything_harmless_keeps_its_bytes(before in "[ a-zé\r\n&;\u{1f600}]{0,20}", text in "[a-z]{1,8}") {
            let comment = format!("<!-- {text} -->");
            let source = format!("{before}{comment}{before}");
            let found = read(&source).unwrap().hidden;
            prop_assert!(found.iter().any(|segment| part(&source, segment.span.clone()) == comment && segment.text == text), "{found:?}");
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        let fixed = [
            "<",
            ">",
            "<!--",
            "-->",
            "<p hidden>",
            "</p>",
            "<img alt='",
            "'",
            "\"",
            "[",
            "](",
            ")",
            "![",
            "[//]: # (",
            "\r\n",
            "\n\n",
            "`",
            "&amp;",
            "&",
            "<style>.x{display:none}",
            "</style>",
            "<script>",
            "</script>",
            "é",
            "\u{1f600}",
            "\u{feff}",
            "\0",
            "<a href=",
            "https://x.test/é",
            " ",
            "<b class=x>",
            "> ",
            "- ",
            "data:,é",
            "<title>",
            "]]>",
        ];
        prop_oneof![3 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
    }
}
