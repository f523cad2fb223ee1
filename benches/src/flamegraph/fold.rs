//! The stacks of decisions, out of what `perf script` writes: a stack a line, and how often it was found.
//!
//! Starting and loading come before the first decision that is measured, and writing the report after the last: samples
//! outside are left out by their place, as `perf` writes them in the order of time. That does not need their stacks, which
//! end early where compiled code is on them.

use std::collections::BTreeMap;

/// Under this stand stacks whose outer end was not found.
pub const NO_CALLER: &str = "[no caller found]";

/// Under this stand the decisions.
const DECISION: &str = "decision";

/// The functions that measure. They are never inlined.
const MEASURING: [&str; 2] = ["measure::one_by_one", "measure::batch"];

/// Stacks, each from the outside in with `;` between its frames, and how often it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    stacks: BTreeMap<String, u64>,
    samples: u64,
    without_caller: u64,
}

/// A moment: the stack, the innermost frame first.
#[derive(Debug, Default)]
struct Sample<'t> {
    frames: Vec<Frame<'t>>,
}

#[derive(Debug)]
struct Frame<'t> {
    name: String,
    /// The file that the code is of.
    file: &'t str,
}

impl<'t> Frame<'t> {
    /// A line as `\t  55d0c name (file)`; `None` where `perf` gave up.
    fn read(line: &'t str) -> Option<Self> {
        let (address, rest) = line.trim().split_once(' ')?;
        let (name, file) = rest.rsplit_once(" (").unwrap_or((rest, ""));
        let is_end = address.chars().all(|digit| digit == 'f');
        // What `perf` has made readable already stays as it is.
        let name = format!("{:#}", rustc_demangle::demangle(name.trim()));
        (!is_end).then(|| Self { name, file: file.trim_end_matches(')') })
    }

    /// Where a decision begins: of what is measured, one implementation or another of this.
    fn is_decision(&self) -> bool {
        self.name.ends_with("Question>::ask")
    }

    fn is_measuring(&self) -> bool {
        MEASURING.iter().any(|name| self.name.ends_with(name))
    }

    fn shown(&self) -> String {
        // What stands between frames, and what comes before the count.
        let name = self.name.replace(';', ":");
        let mark = match self.file {
            "[kernel.kallsyms]" | "[guest.kernel.kallsyms]" => "_[k]",
            made if made.starts_with("[JIT]") || made.ends_with(".map") => "_[j]",
            _ => "",
        };
        format!("{name}{mark}")
    }
}

impl Sample<'_> {
    fn is_measured(&self) -> bool {
        self.frames.iter().any(Frame::is_measuring)
    }
}

impl Folded {
    /// Reads what `perf script -F pid,time,ip,sym,dso` writes of one process.
    ///
    /// # Errors
    /// If there is no decision in it.
    pub fn read(script: &str) -> Result<Self, String> {
        let samples = samples(script);
        let first = samples.iter().position(Sample::is_measured);
        let last = samples.iter().rposition(Sample::is_measured);
        let (Some(first), Some(last)) = (first, last) else {
            return Err(format!("`perf` took {} samples, and none of them in a decision", samples.len()));
        };
        let mut folded = Self::default();
        for sample in samples.iter().take(last + 1).skip(first) {
            folded.add(sample);
        }
        Ok(folded)
    }

    fn add(&mut self, sample: &Sample<'_>) {
        let decision = sample.frames.iter().position(Frame::is_decision);
        let (root, inner) = match decision {
            Some(place) => (DECISION, sample.frames.get(..place).unwrap_or_default()),
            // Reading the clock and comparing answers are no decision.
            None if sample.is_measured() => return,
            None => {
                self.without_caller += 1;
                (NO_CALLER, sample.frames.as_slice())
            }
        };
        let mut stack = root.to_owned();
        for frame in inner.iter().rev() {
            stack.push(';');
            stack.push_str(&frame.shown());
        }
        *self.stacks.entry(stack).or_default() += 1;
        self.samples += 1;
    }

    /// The stacks with their counts, as `outer;inner 3`.
    pub fn lines(&self) -> Vec<String> {
        self.stacks.iter().map(|(stack, count)| format!("{stack} {count}")).collect()
    }

    /// How many samples there are, and how many of them have no caller.
    pub fn about(&self) -> String {
        let all = format!("{} samples of decisions", self.samples);
        match self.without_caller {
            0 => all,
            some => format!("{all}, {some} of them with no caller found"),
        }
    }
}

/// Every sample, in the order of time.
fn samples(script: &str) -> Vec<Sample<'_>> {
    let mut samples: Vec<Sample<'_>> = Vec::new();
    for line in script.lines() {
        if line.trim().is_empty() {
            continue;
        }
        if !line.starts_with('\t') {
            samples.push(Sample::default());
        } else if let (Some(sample), Some(frame)) = (samples.last_mut(), Frame::read(line)) {
            sample.frames.push(frame);
        }
    }
    samples
}

/// The processes that samples are of.
pub fn processes(script: &str) -> Vec<u32> {
    let heads = script.lines().filter(|line| !line.starts_with('\t'));
    let mut found: Vec<u32> =
        heads.filter_map(|line| line.split_whitespace().next()?.split('/').next()?.parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Written by `perf script` of a worker that decides by rego-wasm, a sample of each sort.
    pub(in crate::flamegraph) const RECORDED: &str = include_str!("../../tests/data/perf-script.txt");

    fn sample(frames: &[&str]) -> String {
        let lines: Vec<String> = frames.iter().map(|frame| format!("\t    7f0 {frame}\n")).collect();
        format!("  812  7.000001: \n{}\n", lines.concat())
    }

    const ASK: &str =
        "<tribunal_benches::subject::ours::FromJson as tribunal_benches::subject::Question>::ask (/bin/t)";
    const MEASURE: &str = "tribunal_benches::worker::measure::one_by_one (/bin/t)";

    fn folded(samples: &[&[&str]]) -> Vec<String> {
        let script: String = samples.iter().map(|frames| sample(frames)).collect();
        Folded::read(&script).unwrap().lines()
    }

    #[test]
    fn only_decisions_are_left() {
        let stacks = Folded::read(RECORDED).unwrap();
        let lines = stacks.lines();
        let decisions = lines.iter().filter(|line| line.starts_with(DECISION)).count();
        let alone = lines.iter().filter(|line| line.starts_with(NO_CALLER)).count();
        assert!(decisions > 0 && alone > 0, "{lines:?}");
        assert_eq!(decisions + alone, lines.len());
        for left_out in ["dl_main", "read_pack", "one_by_one", "Question>::ask", "hdrhistogram"] {
            assert!(RECORDED.contains(left_out), "{left_out} is not in the recording");
            assert!(!lines.iter().any(|line| line.contains(left_out)), "{left_out}: {lines:?}");
        }
        let count = |line: &String| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
        assert_eq!(lines.iter().map(count).sum::<u64>(), stacks.samples);
        assert!(
            lines.iter().any(|line| line.starts_with("[no caller found];opa_") && line.contains("_[j] ")),
            "{lines:?}"
        );
    }

    #[test]
    fn what_has_no_caller_is_told_from_starting_by_its_place() {
        let lone: &[&str] = &["work (/bin/t)"];
        let jit: &[&str] = &["eval (/tmp/perf-812.map)"];
        let decided: &[&str] = &["inner (/bin/t)", "outer (/bin/t)", ASK, MEASURE, "main (/bin/t)"];
        let clock: &[&str] = &["clock_gettime ([vdso])", MEASURE, "main (/bin/t)"];
        let verifying: &[&str] =
            &["inner (/bin/t)", ASK, "tribunal_benches::worker::measure::measure (/bin/t)"];
        assert_eq!(
            folded(&[lone, verifying, lone, decided, jit, clock, lone, jit, decided, lone]),
            ["[no caller found];eval_[j] 2", "[no caller found];work 1", "decision;outer;inner 2"]
        );
    }

    #[test]
    fn frames_are_named_for_people() {
        let names = |frame| folded(&[&[frame, ASK, MEASURE]]);
        assert_eq!(names("f<[u8; 4]> (/bin/t)"), ["decision;f<[u8: 4]> 1"]);
        assert_eq!(names("_RNvCskwGfYPst2Cb_3foo3bar (/bin/t)"), ["decision;foo::bar 1"]);
        assert_eq!(names("_ZN3foo3bar17h05af221e174051e9E (/bin/t)"), ["decision;foo::bar 1"]);
        assert_eq!(names("eval (int) ([JIT] tid 8)"), ["decision;eval (int)_[j] 1"]);
        assert_eq!(names("clear_page ([kernel.kallsyms])"), ["decision;clear_page_[k] 1"]);
        assert_eq!(names("[unknown] (/bin/t)"), ["decision;[unknown] 1"]);
    }

    #[test]
    fn a_stack_that_was_cut_off_ends_there() {
        let script = format!(
            "{}812 7.1: \n\t  7f0 inner (/bin/t)\n\tffffffffffffffff [unknown] ([unknown])\n\n{}",
            sample(&[ASK, MEASURE]),
            sample(&[ASK, MEASURE])
        );
        let stacks = Folded::read(&script).unwrap();
        assert_eq!(stacks.lines(), ["[no caller found];inner 1", "decision 2"]);
        assert_eq!(stacks.about(), "3 samples of decisions, 1 of them with no caller found");
    }

    #[test]
    fn a_recording_without_decisions_is_none() {
        assert_eq!(
            Folded::read(&sample(&["main (/bin/t)"])).unwrap_err(),
            "`perf` took 1 samples, and none of them in a decision"
        );
        assert!(Folded::read("").is_err());
    }

    #[test]
    fn processes_are_named_once() {
        let script = format!("{0}{0}99/100 8.0: \n\t 7f0 main (/bin/t)\n", sample(&["main (/bin/t)"]));
        assert_eq!(processes(&script), [99, 812]);
    }
}
