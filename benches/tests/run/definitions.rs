//! What is wrong with a file of measurements is said with its place.

use tribunal_benches::definition::{EMBEDDED, read};
use tribunal_benches::subject::Catalogue;

fn errors(text: &str) -> String {
    let catalogue = Catalogue::new(&tribunal::registry());
    read("mine.yaml", text.as_bytes(), &catalogue).unwrap_err().to_string()
}

#[test]
fn every_error_has_its_place_and_the_nearest_right_name() {
    insta::assert_snapshot!(errors(
        "- name: a\n  modle: decide\n  analysis: x\n- name: b\n  model: decide-warm\n  vary: {axis: rule, values: [0]}\n  analysis: ' '\n"
    ));
    insta::assert_snapshot!(errors(
        "- name: a\n  model: decide\n  subjects: [engines, 'flor:json', ceder]\n  analysis: x\n\
         - name: a\n  model: decide\n  vary: {axis: threads, values: [2, 1]}\n  analysis: x\n\
         - name: b\n  model: decide\n  packs: 3\n  cases: [x]\n  requests: faulted\n  analysis: x\n\
         - name: c\n  model: decide\n  pack: p\n  vary: {axis: rules, values: [1]}\n  analysis: x\n"
    ));
    insta::assert_snapshot!(errors("- name: [\n"));
    insta::assert_snapshot!(errors(
        "- name: a\n  model: parallel\n  vary: {axis: threads, values: [1, 1025, all]}\n  analysis: x\n\
         - name: b\n  model: decide\n  vary: {axis: rules, values: [1, 100_001, all]}\n  analysis: x\n\
         - name: c\n  model: parallel\n  vary: {axis: threads, values: [all, 1]}\n  analysis: x\n"
    ));
    insta::assert_snapshot!(errors(
        "- name: a\n  model: parallel\n  vary: {axis: threads, values: [1, al]}\n  analysis: x\n"
    ));
    insta::assert_snapshot!(errors(
        "- name: a\n  model: decide\n  each: {p: x}\n  pack: p\n  requests: faulted\n  analysis: x\n\
         - name: b\n  model: decide\n  each: {p: x}\n  cases: [x]\n  vary: {axis: input, values: [1]}\n  analysis: x\n"
    ));
}

#[test]
fn all_threads_are_as_many_as_the_machine_runs_and_stand_once() {
    let catalogue = Catalogue::new(&tribunal::registry());
    let here = std::thread::available_parallelism().unwrap().get() as u64;
    for values in ["[1, 2, all]".to_owned(), format!("[{here}, all]"), "[all]".to_owned()] {
        let text = format!(
            "- name: a\n  model: parallel\n  vary: {{axis: threads, values: {values}}}\n  analysis: x\n"
        );
        let found = read("mine.yaml", text.as_bytes(), &catalogue).unwrap();
        let sizes: Vec<u64> = found[0].vary.as_ref().unwrap().sizes().into_iter().collect();
        let named = [1, 2].into_iter().filter(|number| values.contains(&number.to_string()));
        let mut expected: Vec<u64> = named.chain([here]).collect();
        expected.sort();
        expected.dedup();
        assert_eq!(sizes, expected, "{values}");
    }
}

#[test]
fn what_the_program_carries_can_be_read() {
    let catalogue = Catalogue::new(&tribunal::registry());
    for (name, text, _) in EMBEDDED {
        let found =
            read(name, text.as_bytes(), &catalogue).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert!(!found.is_empty());
    }
}
