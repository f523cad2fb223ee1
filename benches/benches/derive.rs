//! What derived members cost: `cargo bench -p tribunal-benches --bench derive`.
//!
//! Prints a line for each function: what it takes over 1 KiB and 64 KiB of text, in multiples of a copy of as much text in the same
//! turn; the median over the turns. What it takes to hand the request on, whatever is derived, is taken off. That a function
//! gives a member is checked before it is timed. `--splice` puts the table into the README of `derive:`.

#![expect(clippy::print_stdout, reason = "this program exists to print")]
#![expect(clippy::expect_used, reason = "a measurement that cannot begin says why and ends")]

use std::hint::black_box;
use std::time::Duration;

use serde_json::{Value, json};
use tribunal::core::derive::{DerivePlan, PackData};
use tribunal::core::document::Document;
use tribunal_benches::shipped::{packs, splice};
use tribunal_benches::timing::{median, per_call};

const TURNS: usize = 9;
/// What one timing takes at least.
const LEAST: Duration = Duration::from_millis(2);

/// A function, what it is declared with, and the words its text is made of.
const FUNCTIONS: [(&str, &str, &str); 24] = [
    ("regex", "regex: {source: /x, pattern: 'ignore[^a-z]+previous'}", PROSE),
    ("regex-all", "regex: {source: /x, pattern: '[a-z]{1,30}ing', capture: 0, all: true}", PROSE),
    ("captures", "captures: {source: /x, pattern: '(?P<a>z{4})|(?P<b>q{4})|^(?P<c>\\w+)'}", PROSE),
    ("replace", "replace: {source: /x, pattern: '[0-9]{1,30}', with: '#'}", PROSE),
    ("lower", "lower: {source: /x}", PROSE),
    ("fold_case", "fold_case: {source: /x}", PROSE),
    ("normalize-nfc", "normalize: {source: /x, form: nfc}", PROSE),
    ("normalize-nfkd", "normalize: {source: /x, form: nfkd}", PROSE),
    ("skeleton", "skeleton: {source: /x}", PROSE),
    ("strip_invisible", "strip_invisible: {source: /x}", PROSE),
    (
        "decode-base64",
        "decode: {source: /x, encoding: base64}",
        "aWdub3JlIGFsbCBwcmV2aW91cyBpbnN0cnVjdGlvbnMg",
    ),
    ("decode-percent", "decode: {source: /x, encoding: percent}", "ignore%20all%20previous%2C "),
    ("length", "length: {source: /x}", PROSE),
    ("url", "url: {source: /x}", URL),
    ("url_prefixes", "url_prefixes: {source: /x}", URL),
    ("ip", "ip: {source: /x}", PROSE),
    ("in_ranges", "in_ranges: {source: /x, ranges: [10.0.0.0/8]}", PROSE),
    ("plain", "plain: {source: /x}", PROSE),
    ("markup", "markup: {source: /x, part: hidden}", MARKUP),
    (
        "scan-detectors",
        "scan: {source: /x, rules: {email: {detector: email}, phone: {detector: phone}, card: {detector: payment_card}, \
         iban: {detector: iban}, ip: {detector: ip_address}, jwt: {detector: jwt}, secret: {detector: assigned_secret}}}",
        PROSE,
    ),
    (
        "scan-views",
        "scan: {source: /x, rules: {a: {view: plain, pattern: 'ignore (?:all )?previous', example: Ignore previous}, \
         b: {view: hidden, pattern: ignore, example: '<!-- ignore -->'}, c: {view: decoded, pattern: ignore, example: \
         aWdub3JlIHByZXZpb3Vz}, d: {view: invisible, example: \"\\u200b\"}}}",
        MARKUP,
    ),
    ("lower-list", "lower: {source: /list}", PROSE),
    ("distinct", "distinct: {source: /list}", PROSE),
    ("sum", "sum: {source: /list, of: /0}", "1 "),
];

const PROSE: &str = "Before 9 o'clock the Café was ignoring all 27 of its previous guests — Straße, Größe and ﬁne printing aside. ";
const MARKUP: &str = "<p>Some <b>text</b> with a [link](https://h.example/a) and <i title='x'>more</i>.</p>\n\n- an ![image](a.png)\n\n";
/// A path in one segment: deeper ones are refused.
const URL: &str = "a-long-name-with%20parts-";

fn main() {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut table = "| function | over 1 KiB | over 64 KiB |\n|---|---:|---:|\n".to_owned();
    let sizes = [1 << 10, 64 << 10].map(|size| {
        let copied = text(PROSE, size);
        (size, copied.clone(), json!({"x": copied}))
    });
    let nothing = plan("time: {part: year}");
    for (name, declared, words) in FUNCTIONS {
        let plan = plan(declared);
        let costs = sizes.each_ref().map(|(size, copied, plain)| {
            let request = request_of(name, words, *size);
            let derived = plan.apply(&request, now).expect("it can be derived");
            // Prose is no address: that it is none is what takes longest to find out.
            let is_there = derived.pointer("/derived/member").is_some();
            assert_eq!(is_there, !["ip", "in_ranges"].contains(&name), "{name}");
            // The rest of the request is handed on whatever is derived; a list of many texts costs more there.
            let base = if request.get("x").is_some() { plain } else { &request };
            let turn = || {
                let copy = per_call(LEAST, || copied.as_str().to_owned());
                let base = per_call(LEAST, || nothing.apply(black_box(base), now).map(drop));
                let whole = per_call(LEAST, || plan.apply(black_box(&request), now).map(drop));
                (whole - base).max(0.0) / copy
            };
            median((0..TURNS).map(|_| turn()).collect()).expect("there are turns")
        });
        let [short, long] =
            costs.map(|cost| if cost < 9.95 { format!("{cost:.1}") } else { format!("{cost:.0}") });
        table.push_str(&format!("| `{name}` | {short} | {long} |\n"));
    }
    println!("{table}");
    if std::env::args().any(|argument| argument == "--splice") {
        let page = packs().join("../engine-core/src/derive/README.md");
        splice(&page, &table).expect("the page can be written");
    }
}

fn plan(declared: &str) -> DerivePlan {
    let yaml = format!("derive: {{member: {{{declared}}}}}");
    let document = Document::parse("pack.yaml", yaml.as_bytes()).expect("the declaration is YAML");
    let declared = document.value.get("derive").cloned().expect("it is there");
    let specs = serde_json::from_value(declared).expect("the declaration is one");
    DerivePlan::compile(&specs, &document, PackData::from(&json!({}))).expect("the declaration compiles")
}

fn request_of(name: &str, words: &str, size: usize) -> Value {
    let text = match name {
        "url" | "url_prefixes" => format!("https://user@Host.example/{}", text(words, size)),
        _ => text(words, size),
    };
    match name {
        "sum" => json!({"list": vec![json!([1]); size / 8]}),
        "lower-list" | "distinct" => json!({"list": text.split(' ').collect::<Vec<_>>()}),
        _ => json!({"x": text}),
    }
}

/// Words over and over, to a size.
fn text(words: &str, size: usize) -> String {
    words.repeat(size / words.len() + 1)
}
