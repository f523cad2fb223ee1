//! What derived members cost: `cargo bench -p tribunal-benches --bench derive`.
//!
//! Each function over 1 KiB and 64 KiB of text, beside `copy`, a copy of as much text in the same run. `request` is what it takes
//! to hand a request on, whatever is derived: a function costs its line less that one, over `copy`. That it gives a member is
//! checked before it is timed.

#![expect(clippy::expect_used, reason = "a measurement that cannot begin says why and ends")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use tribunal::core::derive::{DerivePlan, PackData};
use tribunal::core::document::Document;

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

fn derive(criterion: &mut Criterion) {
    let now = jiff::Timestamp::UNIX_EPOCH;
    for size in [1 << 10, 64 << 10] {
        let mut group = criterion.benchmark_group(format!("derive-{}KiB", size >> 10));
        group.throughput(Throughput::Bytes(size));
        let size = usize::try_from(size).expect("a size fits");
        let copied = text(PROSE, size);
        group.bench_with_input(BenchmarkId::from_parameter("copy"), &copied, |bencher, text| {
            bencher.iter(|| black_box(text.as_str()).to_owned());
        });
        let request = json!({"x": copied});
        group.bench_with_input(BenchmarkId::from_parameter("request"), &request, |bencher, request| {
            let plan = plan("time: {part: year}");
            bencher.iter(|| plan.apply(black_box(request), now).map(drop));
        });
        for (name, declared, words) in FUNCTIONS {
            let plan = plan(declared);
            let request = request_of(name, words, size);
            let derived = plan.apply(&request, now).expect("it can be derived");
            let member = derived.pointer("/derived/member");
            // Prose is no address: that it is none is what takes longest to find out.
            assert_eq!(member.is_some(), !["ip", "in_ranges"].contains(&name), "{name}");
            group.bench_with_input(BenchmarkId::from_parameter(name), &request, |bencher, request| {
                bencher.iter(|| plan.apply(black_box(request), now).map(drop));
            });
        }
        group.finish();
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

criterion_group!(benches, derive);
criterion_main!(benches);
