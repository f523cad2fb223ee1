//! What would make regorus answer wrongly, hang or abort is refused before regorus sees it. Each rule here was seen to do
//! harm without the guard.

use serde_json::json;
use tribunal_engine_core::contract::DecisionEffect;
use tribunal_engine_core::engine::LoadErrorKind;

use crate::support::Pack;

#[test]
fn a_negation_over_what_may_be_undefined_is_refused() {
    for (negation, part, place) in [
        ("not blocked(input.user)", "input.user", "3:25"),
        ("not input.user in {\"a\"}", "input.user", "3:17"),
        ("not \"a\" in input.list", "input.list", "3:24"),
        ("not names[input.user]", "input.user", "3:23"),
        ("not startswith(input.user, \"a\")", "input.user", "3:28"),
        ("not count(input.list) > 0", "input.list", "3:23"),
        ("not startswith(lower(input.user), \"a\")", "input.user", "3:34"),
        ("not input.n > 5", "input.n", "3:17"),
        ("not input.n != 5", "input.n", "3:17"),
        ("not [input.user] == [1]", "input.user", "3:18"),
        ("not maybe in {\"a\"}", "maybe", "3:17"),
        ("not blocked(data.missing)", "data.missing", "3:25"),
        ("not blocked(names[1])", "names[1]", "3:25"),
        ("not half(1) == 1", "half(1)", "3:17"),
        ("not blocked(max([]))", "max([])", "3:25"),
    ] {
        let rego = format!(
            "package p\n\ndecision if {negation}\nblocked(x) if x == \"bad\"\nnames := {{\"a\"}}\nmaybe := input.maybe\nhalf(x) := x if x == 3\n"
        );
        let text = Pack::rego(&rego).refused();
        assert!(
            text.contains(&format!("test/policy.rego:{place}: `{part}` may be undefined")),
            "{negation}: {text}"
        );
        assert!(text.contains("import future.keywords.not"), "{text}");
        // With the import both engines answer `true` for a missing member, and the module loads.
        let modern = rego.replacen("package p\n", "package p\nimport future.keywords.not\n", 1);
        let pack = Pack::rego(&modern).load().unwrap_or_else(|errors| panic!("{negation}: {errors}"));
        if part.starts_with("input") {
            assert_eq!(pack.decide(&json!({})).unwrap().decision.effect, DecisionEffect::Allow, "{negation}");
        }
    }
}

#[test]
fn a_negation_that_both_read_alike_is_not_refused() {
    for negation in [
        "not input.user",
        "not input.user == \"a\"",
        "not input.a == input.b",
        "not input.a.b.c",
        "not flag",
        "not names.x",
        "user := input.user; not blocked(user)",
        "some user in [\"a\"]; not user in names",
        "some user in [\"a\"]; not names[user]",
        "user := \"a\"; not startswith(lower(user), \"b\")",
        "not count(names) > 5",
        "not input.user == {\"a\": 1}",
        "not flag_with_default in {true}",
    ] {
        let rego = format!(
            "package p\ndecision if {{ {negation} }}\nblocked(x) if x == \"bad\"\nnames contains \"a\"\nflag := input.flag\ndefault flag_with_default := false\n"
        );
        if let Err(errors) = Pack::rego(&rego).load() {
            panic!("{negation}: {errors}");
        }
    }
}

/// Why the guards are there. Where regorus changes, this test says which of them may go.
#[test]
fn regorus_itself_answers_otherwise_than_opa() {
    let plain = |rego: &str, input: serde_json::Value| {
        let mut engine = regorus::Engine::new();
        engine.add_policy("p.rego".to_owned(), format!("package p\n{rego}\n")).unwrap();
        engine.set_input_json(&input.to_string()).unwrap();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            engine.eval_rule("data.p.x".to_owned()).unwrap()
        }))
    };
    let yes = regorus::Value::from(true);
    for (rego, input) in [
        ("x if not blocked(input.user)\nblocked(u) if u == \"bad\"", json!({})),
        ("x if not input.user in {\"a\"}", json!({})),
        ("x if \"role\", input.role in {\"a\": 1}", json!({})),
        ("x if { {\"k\": a} := input; a }", json!({"k": true, "more": 1})),
        ("x if { some i; not f(i) }\nf(a) if a == 1", json!({})),
        ("x if { y := \"a\" in input.l; y == false }", json!({})),
        ("x := 100 * 1.1 > 110", json!({})),
        ("x if f(input.a)\nf(a) if { not q; a }\nq.r.s := 1 if input.b", json!({"a": true})),
    ] {
        assert_eq!(plain(rego, input).unwrap(), yes, "{rego}");
    }
    assert!(plain("x := strings.count(input.s, \"\")", json!({"s": "abc"})).is_err());
    assert!(plain("x := object.subset(input.a, [])", json!({"a": [1]})).is_err());
}

#[test]
fn variables_that_wait_for_each_other_are_refused() {
    for body in [
        "a = b; b = a",
        "a := b + 1; b := a - 1",
        "i = j; input.l[i]; input.l[j]; k = m; m = k",
        "a = [b, 1]; a = [2, c]; d = e; e = d",
        "[1 | y = z; z = y] == [1]",
        "every v in [1] { v == w; w = u; u = w }",
    ] {
        let text = Pack::rego(&format!("package p\ndecision if {{ {body} }}\n")).refused();
        assert!(text.contains("has variables that nothing binds before it"), "{body}: {text}");
    }
    for body in [
        "b := 1; a := b + 1; a == 2",
        "a = b + 1; b = 1; a == 2",
        "[a, 2] = [1, b]; a < b",
        "ys = [y | y = x]; x = 1; ys == [1]",
    ] {
        let pack = Pack::rego(&format!("package p\ndecision if {{ {body} }}\n")).load().unwrap();
        assert_eq!(pack.decide(&json!({})).unwrap().decision.effect, DecisionEffect::Allow, "{body}");
    }
}

#[test]
fn variables_that_a_negation_would_bind_are_refused() {
    for body in ["not input.xs[_] == 5", "not input.xs[i] == 5", "some i; not input.xs[i] == 5"] {
        let text = Pack::rego(&format!("package p\ndecision if {{ {body} }}\n")).refused();
        assert!(text.contains("is bound nowhere outside this negation"), "{body}: {text}");
    }
}

#[test]
fn a_membership_that_has_a_value_where_opa_has_none_is_refused() {
    for rule in [
        "decision := {\"effect\": \"allow\", \"x\": \"a\" in input.l}",
        "decision := \"a\" in input.l",
        "decision if { x := \"a\" in input.l; x == false }",
        // regorus finds the missing role under the missing key.
        "decision if \"role\", input.role in data.roles",
    ] {
        let text = Pack::rego(&format!("package p\n{rule}\n")).refused();
        assert!(text.contains("may be undefined here"), "{rule}: {text}");
    }
    let pack =
        Pack::rego("package p\ndecision if { l := input.l; x := \"a\" in l; x == false }\n").load().unwrap();
    assert!(pack.decide(&json!({})).is_err());
    assert_eq!(pack.decide(&json!({"l": []})).unwrap().decision.effect, DecisionEffect::Allow);
}

#[test]
fn recursion_never_reaches_the_interpreter() {
    for rego in [
        // Ends the process.
        "decision := f(1)\nf(x) := f(x)",
        "decision := f(1)\nf(x) := g(x)\ng(x) := y if y := f(x)",
        "decision := f(1)\nf(x) := count([y | some y in g(x)])\ng(x) := [f(x)]",
        "decision := f(1)\nf(x) := data.p.f(x)",
        // Errors of an evaluation, which a load can know.
        "decision if a\na if b\nb if a",
        "decision := data.p",
        "decision := data[input.x]",
        "decision := data.p[input.x]",
        "default decision := false\ndecision if { x := decision; x }",
    ] {
        let text = Pack::rego(&format!("package p\n{rego}\n")).refused();
        assert!(text.contains("recursion: `p."), "{rego}: {text}");
        assert!(text.starts_with("test/policy.rego:"), "{text}");
    }
    let aliased = Pack::rego("package p\nimport data.q as other\ndecision := other.f(1)\n")
        .file("q.rego", "package q\nimport data.p\nf(x) := p.decision\n")
        .refused();
    assert!(aliased.contains("recursion"), "{aliased}");
    // A variable of the same name is no recursion.
    Pack::rego("package p\ndecision := d if { decision := input.x; d := decision }\n")
        .load()
        .map(|_| ())
        .unwrap();
}

#[test]
fn a_chain_of_rules_that_would_overflow_the_stack_is_refused() {
    let chain = |length: usize| {
        let rules: Vec<String> = (0..length).map(|rule| format!("r{rule}(x) := r{}(x)", rule + 1)).collect();
        format!("package p\ndecision := r0(true)\n{}\nr{length}(x) := x\n", rules.join("\n"))
    };
    let text = Pack::rego(&chain(5_000)).refused();
    assert!(text.contains("units deep"), "{text}");
    let nested = format!("package p\ndecision := 1{} == 2\n", " + 1\n".repeat(3_000));
    assert!(Pack::rego(&nested).refused().contains("units deep"));
    let loops = format!(
        "package p\ndecision if {{\n{}}}\n",
        (0..500).map(|n| format!("some x{n} in [1]\n")).collect::<String>()
    );
    assert!(Pack::rego(&loops).refused().contains("units deep"));
}

#[test]
fn what_passes_the_bound_on_depth_fits_a_small_stack() {
    let deepest = |make: &dyn Fn(usize) -> String| {
        let (mut fits, mut too_deep) = (1_usize, 400_usize);
        while too_deep - fits > 1 {
            let middle = fits.midpoint(too_deep);
            if Pack::rego(&make(middle)).load().is_ok() { fits = middle } else { too_deep = middle }
        }
        Pack::rego(&make(fits)).load().unwrap()
    };
    let functions = |length: usize| {
        let rules: Vec<String> =
            (0..length).map(|rule| format!("r{rule}(x) := y if y := r{}(x)", rule + 1)).collect();
        format!("package p\ndecision := r0(true)\n{}\nr{length}(x) := x\n", rules.join("\n"))
    };
    let rules = |length: usize| {
        let rules: Vec<String> =
            (0..length).map(|rule| format!("r{rule} if {{ some x in [r{}]; x }}", rule + 1)).collect();
        format!("package p\ndecision := r0\n{}\nr{length} := true\n", rules.join("\n"))
    };
    let loops = |length: usize| {
        format!(
            "package p\ndecision if {{\n{}}}\n",
            (0..length).map(|n| format!("some x{n} in [1]\n")).collect::<String>()
        )
    };
    let sums = |length: usize| format!("package p\ndecision := 1{} > 1\n", "\n + 1".repeat(length));
    let comprehensions = |length: usize| {
        let rules: Vec<String> =
            (0..length).map(|rule| format!("r{rule} := [y | some y in [z | z := r{}]]", rule + 1)).collect();
        format!("package p\ndecision := count(r0) == 1\n{}\nr{length} := 1\n", rules.join("\n"))
    };
    let indices = |length: usize| {
        format!(
            "package p\nxs := [0]\ndecision if {{\n{}}}\n",
            (0..length).map(|n| format!("xs[i{n}] == 0\n")).collect::<String>()
        )
    };
    let bodies = |body: &'static str| {
        move |length: usize| {
            let rules: Vec<String> = (0..length)
                .map(|rule| format!("r{rule} if {}", body.replace("NEXT", &format!("r{}", rule + 1))))
                .collect();
            format!("package p\ndecision := r0\n{}\nr{length} := true\n", rules.join("\n"))
        }
    };
    let every = bodies("{ every x in [1] { x == 1; NEXT } }");
    let with = bodies("{ NEXT with input.a as 1 }");
    let objects = bodies("{ {\"a\": {\"b\": [NEXT]}}.a.b[_] == true }");
    let object_comprehensions = bodies("{ {k: v | some k in [1]; v := NEXT}[1] == true }");
    let elses = bodies("{ false } else := x if { x := NEXT }");
    let negations = bodies("{ not false; y := [x | x := NEXT]; not y == [] }");
    let makes: [&dyn Fn(usize) -> String; 12] = [
        &functions,
        &rules,
        &loops,
        &sums,
        &comprehensions,
        &indices,
        &every,
        &with,
        &objects,
        &object_comprehensions,
        &elses,
        &negations,
    ];
    for make in makes {
        let pack = deepest(make);
        // Test threads have 2 MiB; a thread of an embedder may have been used up to a half.
        std::thread::scope(|scope| {
            let small = std::thread::Builder::new().stack_size(1 << 20);
            let thread = small
                .spawn_scoped(scope, || pack.decide(&json!({})).map(|verdict| verdict.decision.effect))
                .unwrap();
            assert_eq!(thread.join().unwrap(), Ok(DecisionEffect::Allow));
        });
    }
}

#[test]
fn built_ins_that_panic_or_explode_in_regorus_do_not_here() {
    let pack = Pack::rego(
        "package p\ndefault decision := false\ndecision if strings.count(input.s, input.sub) >= 0\ndecision if object.subset(input.a, input.b)\n",
    );
    let pack = pack.load().unwrap();
    for request in [json!({"s": "abc", "sub": ""}), json!({"a": [1, 2], "b": []})] {
        let answer = pack.decide(&request);
        assert!(answer.is_ok(), "{request}: {answer:?}");
    }
    let width =
        Pack::rego("package p\ndecision := sprintf(\"%0300000000d\", [input.n]) == \"\"\n").load().unwrap();
    assert!(
        width.decide(&json!({"n": 1})).is_err()
            || !width.decide(&json!({"n": 1})).unwrap().decision.effect.eq(&DecisionEffect::Allow)
    );
    let range = Pack::rego("package p\ndecision := count(numbers.range(1, input.n)) > 0\n").load().unwrap();
    assert!(range.decide(&json!({"n": 1_000_000_000})).is_err());
}

#[test]
fn literals_that_would_parse_for_minutes_are_refused() {
    for (open, close) in
        [("[", "]"), ("{", "}"), ("{\"a\": ", "}"), ("[x | x := ", "]"), ("(", ")"), ("count(", ")")]
    {
        let rego = format!("package p\ndecision := {}1{}\n", open.repeat(30), close.repeat(30));
        let text = Pack::rego(&rego).refused();
        assert!(text.contains("brackets inside each other"), "{text}");
        assert!(text.starts_with("test/policy.rego:2:"), "{text}");
    }
    let unclosed = format!("package p\ndecision := {}", "[".repeat(100_000));
    assert!(Pack::rego(&unclosed).load().is_err());
}

#[test]
fn the_deepest_literals_let_through_load_soon() {
    for (open, close) in [
        ("[", "]"),
        ("{\"a\": ", "}"),
        ("[x | x := ", "]"),
        ("[x | some x in ", "]"),
        ("{x: y | x := 1; y := ", "}"),
        ("{x | [x] = ", "}"),
        ("count([x | x := 1; x in ", "])"),
        ("[1][", "]"),
        ("(1 + ", ")"),
    ] {
        let began = std::time::Instant::now();
        for levels in (1..=12).rev() {
            let rego =
                format!("package p\ndecision := {}[1]{} == 1\n", open.repeat(levels), close.repeat(levels));
            if Pack::rego(&rego).load().is_ok() {
                break;
            }
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{open}: {:?}", began.elapsed());
    }
}

#[test]
fn built_ins_that_are_not_there_are_named_all_at_once() {
    let rego = "package p\ndecision if {\n\thttp.send({})\n\topa.runtime()\n\tx := cuont([1])\n\trand.intn(\"a\", 2)\n\tuuid.rfc4122(\"x\")\n}\n";
    let errors = Pack::rego(rego).load().map(|_| ()).unwrap_err();
    assert!(errors.iter().all(|error| error.kind == LoadErrorKind::MissingBuiltin));
    let text = errors.to_string();
    for says in [
        "3:2: there is no built-in `http.send`",
        "4:2: there is no built-in `opa.runtime`",
        "did you mean `count`?",
        "`rand.intn`",
        "`uuid.rfc4122`",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn forms_that_regorus_reads_otherwise_are_refused() {
    for (rego, says) in [
        ("decision if not count([], input.b)", "one argument too many"),
        ("decision := f(input.a, input.b)\nf(x) := x", "one argument too many"),
        ("decision if crypto.sha256(\"a\", x)", "one argument too many"),
        ("decision if count(1, 2, 3)", "takes 1 arguments, not 3"),
        ("decision if { {\"k\": a} := input; a }", "takes apart any object"),
        ("decision if { some {\"k\": a} in input.l; a }", "takes apart any object"),
        ("decision if { {\"k\": a} = input; a }", "takes apart any object"),
        ("decision if f(input)\nf({\"k\": a}) if a", "takes apart any object"),
        ("decision := {input.k: 1, \"kk\": 2}.kk == 1", "a computed key beside others"),
        ("decision := 100 * 1.1 > 110", "calculates fractions in binary"),
        ("decision if { a := walk(input); a }", "`walk` is a relation"),
        ("decision if not q\nq.a.b := 3 if input.x", "only the beginning of the names"),
        ("decision := -input.x", "only numbers can be negated"),
        ("decision if count([1]) == 1 with count as 2", "would replace a function"),
        ("decision if f(1) with f as 2\nf(x) := x", "would replace a function"),
        (
            "decision if g with input.a as input.b with input.c as 1\ng if input.c",
            "not the last value of this `with`",
        ),
        ("decision if data.q.f(1)", "there is no function `data.q.f`"),
        ("decision if x\nx := y", "nothing binds the variable `y`"),
    ] {
        let text = Pack::rego(&format!("package p\n{rego}\n")).refused();
        assert!(text.contains(says), "{rego}: {text}");
    }
    assert!(
        Pack::rego("package p\nimport input\ndecision := true\n")
            .refused()
            .contains("`import input` does nothing")
    );
    assert!(
        Pack::rego("package p\nimport rego.v9\ndecision := true\n").refused().contains("`import rego.v9`")
    );
}

#[test]
fn rego_that_does_not_parse_has_its_place() {
    for (rego, place) in [
        ("package p\n\ndecision := [1, 2\n", "test/policy.rego:4:1"),
        ("package p\ndecision := \"é\" ?\n", "test/policy.rego:2:17"),
        ("package p\ndecision := `abc\n", "test/policy.rego:2:"),
        ("package p\ndecision := false\n\0decision := true\n", "test/policy.rego:3:1: a NUL"),
        ("decision := 1\n", "test/policy.rego:1:1"),
        ("", "test/policy.rego:"),
    ] {
        let errors = Pack::rego(rego).load().map(|_| ()).unwrap_err();
        assert!(errors.to_string().starts_with(place), "{rego:?}: {errors}");
        assert!(errors.has(LoadErrorKind::Syntax), "{errors}");
    }
    let both = Pack::rego("package p\nx :=\n").file("other.rego", "package q\ny := )\n").refused();
    assert!(both.contains("test/policy.rego:") && both.contains("test/other.rego:2:6"), "{both}");
}
