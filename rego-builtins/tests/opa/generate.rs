//! Calls with generated arguments: for every built-in some that are likely to be taken, and some of any type.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union, ValueTree as _};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use tribunal_rego_builtins::Value;

use crate::oracle::Call;

fn text(choices: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(choices).prop_map(Value::from).boxed()
}

fn pattern(regex: &'static str) -> BoxedStrategy<Value> {
    proptest::string::string_regex(regex).unwrap().prop_map(Value::from).boxed()
}

fn number() -> BoxedStrategy<Value> {
    let written = proptest::string::string_regex(
        "-?(0|[1-9][0-9]{0,3}|[1-9][0-9]{8,25})(\\.[0-9]{1,3}|\\.0|\\.[0-9]{20})?(e[-+]?[0-9]|E[0-9]{2})?",
    )
    .unwrap();
    let special = select(
        &[
            "-0",
            "0.0",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551616",
            "0.1",
            "1e21",
            "1e-7",
            "2147483648",
            "123456.5",
            "1234567.5",
        ][..],
    );
    prop_oneof![
        4 => (-20i64..20).prop_map(Value::from),
        2 => written.prop_map(|text| Value::Number(text.parse().unwrap())),
        1 => special.prop_map(|text| Value::Number(text.parse().unwrap())),
    ]
    .boxed()
}

fn string() -> BoxedStrategy<Value> {
    pattern("[abAB ./:é\u{130}\u{df}😀\\-_]{0,6}")
}

/// Any value, nested a little.
fn any() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        proptest::bool::ANY.prop_map(Value::Bool),
        number(),
        string(),
        text(&["", "\u{0}\"\\\n\u{7f}", "<&>\u{2028}", "\u{10ffff}\u{e000}"]),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_set(inner.clone(), 0..4).prop_map(Value::Set),
            btree_map(inner.clone(), inner, 0..4).prop_map(Value::Object),
        ]
    })
    .boxed()
}

fn array_of(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec(item, 0..5).prop_map(Value::Array).boxed()
}

fn set_of(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    btree_set(item, 0..5).prop_map(Value::Set).boxed()
}

fn either(choices: Vec<BoxedStrategy<Value>>) -> BoxedStrategy<Value> {
    Union::new(choices).boxed()
}

fn object() -> BoxedStrategy<Value> {
    let key = either(vec![text(&["a", "b", "c"]), number()]);
    let leaf = either(vec![number(), string(), Just(Value::Null).boxed()]);
    let value = leaf.prop_recursive(3, 16, 3, move |inner| {
        either(vec![
            btree_map(text(&["a", "b", "c"]), inner.clone(), 0..3).prop_map(Value::Object).boxed(),
            array_of(inner.clone().boxed()),
            set_of(inner.boxed()),
        ])
    });
    btree_map(key, value, 0..4).prop_map(Value::Object).boxed()
}

fn strings() -> BoxedStrategy<Value> {
    either(vec![array_of(string()), set_of(string())])
}

fn instant() -> BoxedStrategy<Value> {
    let ns = prop_oneof![
        (i64::MIN..i64::MAX).prop_map(Value::from),
        (1_500_000_000_000_000_000i64..1_800_000_000_000_000_000).prop_map(Value::from),
        (0i64..40_000_000).prop_map(|hours| Value::from(hours * 3_600_000_000)),
    ];
    let zone = text(&[
        "",
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "america/new_york",
        "Africa/Monrovia",
        "Nowhere/City",
        "Etc/GMT+5",
        "../UTC",
        "America/Sao_Paulo",
    ]);
    let layout = either(vec![
        text(&[
            "RFC3339",
            "RFC1123Z",
            "ANSIC",
            "RFC850",
            "RFC822",
            "",
            "Mon Jan _2 15:04:05.000 2006",
            "Monday January 02 __2 002 3:4:5 PM pm .999 ,999999 Z07:00:00 -070000 Z0700 MST -07",
        ]),
        pattern(
            "(2006|06|01|1|Jan|January|Januaryx|Janx|02|2|_2|_2006|__2|002|15|3|03|4|04|5|05|PM|pm|MST|-07|-0700|-07:00|Z07:00|Z0700|-070000|-07:00:00|\\.000|,999|\\.99| |x|Mon|Monday|Monx){0,6}",
        ),
    ]);
    prop_oneof![
        2 => ns.clone(),
        2 => (ns.clone(), zone.clone()).prop_map(|(a, b)| Value::Array(vec![a, b])),
        3 => (ns, zone, layout).prop_map(|(a, b, c)| Value::Array(vec![a, b, c])),
        1 => number(),
    ]
    .boxed()
}

fn pointer() -> BoxedStrategy<Value> {
    either(vec![
        pattern("(/?(a|b|c|0|1|-|01|1\\.0|~0|~1)){0,3}"),
        array_of(either(vec![text(&["a", "b", "c", "0"]), number()])),
    ])
}

fn operation() -> BoxedStrategy<Value> {
    let op = text(&["add", "remove", "replace", "move", "copy", "test", "nope"]);
    (op, pointer(), pointer(), any(), 0u8..20)
        .prop_map(|(op, path, from, value, without)| {
            let mut members = std::collections::BTreeMap::from([
                (Value::from("op"), op),
                (Value::from("path"), path),
                (Value::from("from"), from),
                (Value::from("value"), value),
            ]);
            let leave_out = ["op", "path", "from", "value"];
            if let Some(name) = leave_out.get(usize::from(without)) {
                members.remove(&Value::from(*name));
            }
            Value::Object(members)
        })
        .boxed()
}

const REGEX: &str = r"(a|b|é|A|\.|\\.|[ab]|[^a]|[a-é]|\[\[:alpha:\]\]|\\pL|\\d|\\w|\\s|\\W|\\b|\\B|\^|\$|\(a|\)|\(|\||\*|\+|\?|\*\?|\{2\}|\{,2\}|\{1,\}|\{|\\x41|\\x\{e9\}|\\Q.\\E|\(\?i\)|\(\?i:|\(\?P<n>|\(\?:|\\012|\\1|\\z|\[\\d-z\]|\[a-\]|\[\]a\]|-|\(\?s\)|\(\?U\)|\(\?m\)){0,6}";
const SUBJECT: &str = "[abABéſK\u{212a}.0 \n-]{0,8}";
const GLOB: &str = r"(a|b|é|\.|/|:|\*|\*\*|\?|\[ab\]|\[!a\]|\[a-c\]|\[!a-b\]|\{a,b\}|\{|\}|,|\[|\]|\\\*|\\|\{a\*,\*b\}|\{,a\}|!|-){0,7}";

/// Arguments that the built-in is likely to take.
fn likely(name: &str) -> Option<Vec<BoxedStrategy<Value>>> {
    let small = || either(vec![(-3i64..9).prop_map(Value::from).boxed(), text(&["1"])]);
    let format = || {
        pattern(
            "(x|é|%%|%|%[-+# 0]{0,2}(|[0-9]|\\*|\\[1\\]|\\[2\\]|\\[9\\])(|\\.[0-9]?|\\.\\*)[vTdsxXobcqUeEfFgGtpO!]){0,4}",
        )
    };
    let ip = || {
        either(vec![
            pattern("(10|192|1|0|255)\\.(0|1|255|256)\\.(0|1)\\.[0-9]{1,2}(/([0-9]|[12][0-9]|3[0-3]))?"),
            pattern(
                "(::|::1|2001:db8::|::ffff:1\\.2\\.3\\.4|fe80::1%eth0|::ffff:0:0|::fffe:0:0|1:2:3:4:5:6:7:8)(/([0-9]|[1-9][0-9]|1[012][0-9]))?",
            ),
        ])
    };
    let version = || {
        pattern(
            "v?(0|1|01|10)\\.(0|2|)\\.?(3|04|9)?(-(alpha|1|01|rc-1|alpha\\.1|alpha\\.beta))?(\\+(b|b\\.1|))?",
        )
    };
    Some(match name {
        "sprintf" => vec![format(), array_of(either(vec![number(), number(), string(), any()]))],
        "regex.match" | "re_match" | "regex.split" => vec![pattern(REGEX), pattern(SUBJECT)],
        "regex.is_valid" => vec![pattern(REGEX)],
        "regex.find_n" | "regex.find_all_string_submatch_n" => {
            vec![pattern(REGEX), pattern(SUBJECT), small()]
        }
        "regex.replace" => vec![
            pattern(SUBJECT),
            pattern(REGEX),
            pattern("(x|\\$|\\$\\$|\\$1|\\$\\{1\\}|\\$n|\\$\\{n\\}|\\$1x|\\$\\{|\\$01|\\$é){0,4}"),
        ],
        "regex.template_match" => {
            vec![
                pattern("(a|\\{[ab]\\}|\\{a|\\}|\\{\\.\\*\\}|\\.|<a>){0,4}"),
                pattern("[ab.{}<>]{0,4}"),
                text(&["{", "<", "é", "{{"]),
                text(&["}", ">", ""]),
            ]
        }
        "glob.match" => {
            let delimiters = either(vec![
                Just(Value::Null).boxed(),
                array_of(text(&[".", "/", ":", "é", "", "ab"])),
                array_of(text(&[".", "/", ":"])),
            ]);
            vec![pattern(GLOB), delimiters, pattern("[abé./:*{},!-]{0,6}")]
        }
        "glob.quote_meta" => vec![pattern(GLOB)],
        "object.get" => vec![
            object(),
            either(vec![
                text(&["a", "b"]),
                number(),
                array_of(either(vec![text(&["a", "b", "c"]), number()])),
            ]),
            any(),
        ],
        "object.filter" | "object.remove" => {
            let keys = either(vec![text(&["a", "b", "c"]), number()]);
            vec![object(), either(vec![array_of(keys.clone()), set_of(keys), object()])]
        }
        "object.keys" => vec![object()],
        "object.union" => vec![object(), object()],
        "object.union_n" => vec![array_of(object())],
        "object.subset" => {
            let few = || number();
            let composite = || either(vec![object(), array_of(few()), set_of(few())]);
            vec![composite(), composite()]
        }
        "json.filter" | "json.remove" => vec![object(), either(vec![array_of(pointer()), set_of(pointer())])],
        "json.patch" => {
            vec![either(vec![object(), any()]), vec(operation(), 1..2).prop_map(Value::Array).boxed()]
        }
        "json.unmarshal" | "json.is_valid" => {
            vec![either(vec![
                any().prop_map(|v| Value::from(v.to_json())).boxed(),
                pattern("[{}\\[\\],:\"a0-1. etrue\\\\u]{0,7}"),
                text(&["1e999999", "\"\\ud800\"", "01", "1 2", " [1] ", "-", "1e5", "1.0", "1E+2"]),
            ])]
        }
        "json.marshal_with_options" => {
            let options = btree_map(
                text(&["indent", "prefix", "pretty"]),
                either(vec![text(&["  ", ""]), proptest::bool::ANY.prop_map(Value::Bool).boxed()]),
                0..3,
            );
            vec![any(), options.prop_map(Value::Object).boxed()]
        }
        "concat" => vec![string(), strings()],
        "contains" | "endswith" | "startswith" | "indexof" | "indexof_n" | "split" | "strings.count"
        | "trim" | "trim_left" | "trim_right" | "trim_prefix" | "trim_suffix" => {
            vec![pattern("[abé. ]{0,8}"), pattern("[abé. ]{0,2}")]
        }
        "replace" => vec![pattern("[abc.]{0,8}"), pattern("[ab.]{0,2}"), pattern("[abé]{0,2}")],
        "strings.replace_n" => {
            let pairs = btree_map(pattern("[abc]{0,2}"), pattern("[abcd]{0,2}"), 0..4)
                .prop_map(Value::Object)
                .boxed();
            vec![pairs, pattern("[abcd]{0,8}")]
        }
        "strings.split_n" => vec![pattern("[abé.]{0,8}"), pattern("[a.]{0,2}"), small()],
        "substring" => vec![pattern("[abé😀]{0,6}"), small(), small()],
        "lower" | "upper" | "strings.reverse" | "trim_space" => {
            vec![either(vec![
                pattern("[ \t\u{a0}\u{2003}\u{85}aAßİıſÅéΣςǅŉ\u{212a}ﬁ\u{1e9e}]{0,6}"),
                pattern("\\PC{0,5}"),
                pattern("[\u{0}-\u{10ffff}]{0,3}"),
            ])]
        }
        "strings.any_prefix_match" | "strings.any_suffix_match" => {
            vec![either(vec![string(), strings()]), either(vec![pattern("[ab]{0,2}"), strings()])]
        }
        "format_int" => vec![
            number(),
            either(vec![
                (0i64..20).prop_map(Value::from).boxed(),
                select(&[2i64, 8, 10, 16][..]).prop_map(Value::from).boxed(),
            ]),
        ],
        "to_number" => vec![either(vec![
            any(),
            number().prop_map(|n| Value::from(n.to_json())).boxed(),
            text(&[
                "+5",
                ".5",
                "5.",
                "",
                "-",
                "007",
                " 1",
                "1 ",
                "inf",
                "NaN",
                "1e400",
                "-Infinity",
                "1e99999",
                "+.5e1",
                "--1",
            ]),
        ])],
        "numbers.range" => vec![small(), small()],
        "numbers.range_step" => vec![small(), small(), small()],
        "bits.and" | "bits.or" | "bits.xor" => vec![number(), number()],
        "bits.lsh" | "bits.rsh" => vec![number(), (-1i64..70).prop_map(Value::from).boxed()],
        "plus" | "minus" | "mul" | "div" | "rem" | "lt" | "lte" | "gt" | "gte" | "equal" | "neq" => {
            vec![number(), number()]
        }
        "abs" | "ceil" | "floor" | "round" | "bits.negate" => vec![number()],
        "sum" | "product" | "max" | "min" | "sort" => {
            vec![either(vec![array_of(number()), set_of(number()), array_of(any())])]
        }
        "any" | "all" => vec![array_of(proptest::bool::ANY.prop_map(Value::Bool).boxed())],
        "array.slice" => vec![array_of(number()), small(), small()],
        "array.concat" => vec![array_of(number()), array_of(number())],
        "array.flatten" => vec![array_of(either(vec![array_of(number()), any()]))],
        "and" | "or" | "set_diff" => vec![set_of(number()), set_of(number())],
        "intersection" | "union" => vec![set_of(set_of((0i64..5).prop_map(Value::from).boxed()))],
        "internal.member_2" => vec![small(), either(vec![array_of(small()), set_of(small()), object()])],
        "internal.member_3" => {
            vec![small(), small(), either(vec![array_of(small()), set_of(small()), object()])]
        }
        "units.parse" | "units.parse_bytes" => vec![pattern(
            "-?[0-9]{0,4}(\\.[0-9]{0,3})?(e[-+]?[0-9]{1,2})?( |\")?(|m|k|K|Ki|ki|KB|M|MiB|mi|G|g|Gi|T|P|E|Ei|e|eb|b|x)",
        )],
        "semver.compare" => vec![version(), version()],
        "semver.is_valid" => vec![version()],
        "time.date" | "time.clock" | "time.weekday" | "time.format" => vec![instant()],
        "time.diff" => vec![instant(), instant()],
        "time.add_date" => {
            let n = || (-40i64..40).prop_map(Value::from).boxed();
            vec![instant(), n(), n(), n()]
        }
        "time.parse_duration_ns" => {
            vec![pattern("[-+]?([0-9]{0,4}(\\.[0-9]{0,10})?(ns|us|µs|μs|ms|s|m|h|d|w|y|x|)){1,3}")]
        }
        "time.parse_rfc3339_ns" => {
            vec![pattern(
                "(2024|1600|2300|99)-(0[0-9]|1[0-3]|2)-(29|3[0-2]|0[0-2])[Tt ]([01][0-9]|2[0-5]|7):[0-6][0-9]:[0-6][0-9]([.,][0-9]{1,12})?(Z|z|[-+][0-2][0-9]:[0-7][0-9]|)",
            )]
        }
        "time.parse_ns" => {
            vec![
                text(&[
                    "RFC1123",
                    "RFC822Z",
                    "2006-01-02",
                    "02 Jan 2006 15:04:05 MST",
                    "2006 002",
                    "2006 __2",
                    "06-1-2 3:4:5PM",
                    "Jan _2 2006",
                    "15:04:05.000",
                    "15:04:05,999 -0700",
                    "Monday January 2 2006",
                    "2006-01-02 15:04:05 -07",
                    "2006-01-02 Z07:00:00",
                ]),
                pattern(
                    "(Mon, |monday March 2 2024|)?((02|2| 2|31) (Jan|jan|February|Feb) (2006|24) ([01][0-9]|7):[0-5][0-9](:[0-5][0-9])? (MST|GMT\\+3|UTC|EST|\\+0700|WITA|AAAAT|GMT-99|ChST)|2024-02-(29|30)( Z|-07:00:00| \\+05:30:10| 12:00:01 \\+07)?|2024 (060|366|  1| 60|1)|24-2-3 (1|12|13):2:3(PM|AM|am)|Jan (1| 1|11) 2006|12:13:14[.,](123|12|1234) ?([-+]0[0-9][0-5]0)?)",
                ),
            ]
        }
        "urlquery.encode"
        | "hex.encode"
        | "base64.encode"
        | "base64url.encode"
        | "base64url.encode_no_pad" => vec![pattern("[a-z~*!'() /+&=?#%é😀_.-]{0,8}")],
        "urlquery.decode" | "urlquery.decode_object" => {
            vec![pattern("([a-c]|=|&|\\+|%20|%C3%A9|%|%zz|;|/){0,8}")]
        }
        "urlquery.encode_object" => {
            let value = either(vec![string(), strings(), number()]);
            vec![btree_map(string(), value, 0..4).prop_map(Value::Object).boxed()]
        }
        "base64.decode" | "base64.is_valid" | "base64url.decode" => {
            vec![pattern("([A-D][Q-Zgw]{3}|YQ==|YWI=|YR==|\n|_-8|=|\\+/A|YQ|YWI){0,3}")]
        }
        "hex.decode" => vec![pattern("([2-6][0-9a-f]|6A|[0-9g]){0,5}")],
        "net.cidr_contains" | "net.cidr_intersects" | "net.cidr_overlap" => vec![ip(), ip()],
        "net.cidr_contains_matches" => {
            vec![either(vec![ip(), array_of(ip()), set_of(ip())]), either(vec![ip(), array_of(ip())])]
        }
        "net.cidr_expand" => {
            vec![pattern("(10\\.0\\.0\\.1/(2[89]|3[0-2])|::1/12[4-8]|::ffff:1\\.2\\.3\\.4/12[6-8])")]
        }
        "net.cidr_is_valid" => vec![ip()],
        "graph.reachable" => {
            let node = || text(&["a", "b", "c", "d"]);
            let graph = btree_map(node(), either(vec![array_of(node()), set_of(node())]), 0..5)
                .prop_map(Value::Object)
                .boxed();
            vec![graph, either(vec![array_of(node()), set_of(node())])]
        }
        _ => return None,
    })
}

/// `TRIBUNAL_GENERATED` calls a built-in (default 40), always the same ones.
pub(crate) fn calls() -> Vec<Call> {
    let each = std::env::var("TRIBUNAL_GENERATED").ok().and_then(|n| n.parse().ok()).unwrap_or(40usize);
    let seed = std::env::var("TRIBUNAL_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(7u8);
    let only = std::env::var("TRIBUNAL_ONLY").unwrap_or_default();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let mut calls = Vec::new();
    for builtin in tribunal_rego_builtins::all() {
        if builtin.name == "time.now_ns" || !builtin.name.starts_with(&only) {
            continue;
        }
        let wild: Vec<BoxedStrategy<Value>> = (0..builtin.arity).map(|_| any()).collect();
        let likely = likely(builtin.name);
        // OPA has no limits: these it would work at for hours.
        let unbounded = ["numbers.range", "numbers.range_step", "bits.lsh"].contains(&builtin.name);
        for round in 0..each {
            let strategies = likely.as_ref().filter(|_| unbounded || round % 10 != 9).unwrap_or(&wild);
            let args: Vec<Value> =
                strategies.iter().map(|s| s.new_tree(&mut runner).unwrap().current()).collect();
            if builtin.name == "json.patch" && removes_all(&args) {
                continue;
            }
            calls.push(Call { name: builtin.name.to_owned(), args });
        }
    }
    if only.is_empty() {
        // Every character that may have a case.
        let scripts = [
            '\0'..='\u{2fff}',
            '\u{a000}'..='\u{abff}',
            '\u{fb00}'..='\u{ffff}',
            '\u{10000}'..='\u{11fff}',
            '\u{16e00}'..='\u{16fff}',
            '\u{1e900}'..='\u{1e9ff}',
        ];
        let all: Vec<char> = scripts.into_iter().flatten().collect();
        for name in ["lower", "upper"] {
            for chunk in all.chunks(500) {
                calls.push(Call {
                    name: name.to_owned(),
                    args: vec![Value::from(chunk.iter().collect::<String>())],
                });
            }
        }
    }
    calls
}

/// A patch that removes the whole document makes OPA panic.
fn removes_all(args: &[Value]) -> bool {
    let root = |path: Option<&Value>| {
        matches!(path, Some(Value::String(s)) if s.is_empty()) || path == Some(&Value::Array(vec![]))
    };
    args.iter()
        .filter_map(|arg| if let Value::Array(operations) = arg { Some(operations) } else { None })
        .flatten()
        .any(|op| {
            op.get(&Value::from("op")) == Some(&Value::from("remove")) && root(op.get(&Value::from("path")))
        })
}
