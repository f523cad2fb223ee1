//! What dispatch costs over the bare engine: `cargo bench -p tribunal-benches --bench dispatch`.
//!
//! `bare` asks the engine itself with a prepared request; `schema+derive` is what prepares it; `bare+schema+derive` does both
//! for each request, as dispatch must; `dispatch` is the whole evaluation. What dispatch itself costs is the last less the
//! one before: at most 5 % of the bare engine and 200 ns.

#![expect(clippy::expect_used, reason = "a measurement that cannot begin says why and ends")]

use criterion::{Criterion, criterion_group, criterion_main};
use tribunal::PolicyRequest;
use tribunal_benches::shipped::{packs, subjects};

fn dispatch(criterion: &mut Criterion) {
    let text = std::fs::read(packs().join("examples/request.json")).expect("the shipped request is there");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let request = PolicyRequest::from_slice(&text).expect("the shipped request is one").at(now);
    let payload = request.to_payload();
    for subject in subjects("tool-allowlist", &request).expect("all engines answer alike") {
        let pack = subject.pack();
        let prepared = pack.prepare(&payload, now).expect("the shipped request fits its schema");
        let verdict =
            pack.engine().decide(&pack.view(&prepared, now, None).expect("no token")).expect("an answer");
        assert_eq!(verdict.decision, subject.tribunal.outcome(&request).decision, "{}", subject.name);

        let mut group = criterion.benchmark_group(&subject.name);
        group.bench_function("bare", |bencher| {
            bencher.iter(|| pack.view(&prepared, now, None).and_then(|view| pack.engine().decide(&view)));
        });
        group.bench_function("schema+derive", |bencher| {
            bencher.iter(|| pack.prepare(&payload, now).map(drop))
        });
        group.bench_function("bare+schema+derive", |bencher| {
            bencher.iter(|| {
                let prepared = pack.prepare(&payload, now)?;
                pack.engine().decide(&pack.view(&prepared, now, None)?)
            });
        });
        group.bench_function("dispatch", |bencher| bencher.iter(|| subject.tribunal.outcome(&request)));
        group.finish();
    }
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
