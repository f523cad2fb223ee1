//! What is wrong with a file of measurements is said with its place.

use tribunal_benches::definition::{EMBEDDED, read};
use tribunal_benches::subject::Catalogue;

fn errors(text: &str) -> String {
    let catalogue = Catalogue::new(&tribunal::registry());
    read("mine.yaml", text.as_bytes(), &catalogue).expect_err(text).to_string()
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
