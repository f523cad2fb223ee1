//! The stages of a decision. All requests are decided as a whole, timed as `decide` times them, then all stage by stage, and
//! so on: right after the whole, its stages would find in the caches what it has left there. What the stages do not account
//! for is dispatch's own: merging, patches, and the outcome.
//!
//! Both are timed by themselves, so the rest is a difference of two measurements: where dispatch costs less than they vary it
//! comes out a little below zero, and is shown so.
//!
//! The whole has to answer as it did before anything was timed, and the stages as the whole. A redaction is refused: it is
//! decided in several rounds, each with stages of its own, and the rest would hold all rounds but the first.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tribunal::DecisionEffect;
use tribunal::core::pack::ReasonParity;

use super::measure::{Stopped, failed, timed};
use super::protocol::Job;
use crate::statistics::{Figures, median};
use crate::subject::{Answer, Question, Request, Staged, Subject, Unavailable};

/// What the stages do not account for.
pub(super) const REST: &str = "dispatch and outcome";

/// The most samples that are kept of each stage and request.
const MOST: usize = 2_000;

/// Readings of the clock from which its own cost is taken.
const READINGS: usize = 2_001;

/// A request that is taken apart.
struct One<'s> {
    request: &'s Request,
    question: Box<dyn Question + 's>,
    /// What the whole decision came to before anything was timed.
    whole: &'s Answer,
    /// What the stages came to.
    proposed: Answer,
    samples: Samples,
}

/// The samples of one request.
#[derive(Default)]
struct Samples {
    whole: Vec<f64>,
    stages: BTreeMap<&'static str, Vec<f64>>,
}

impl Samples {
    /// Takes the stages of a decision. One that comes several times counts with all of its time.
    fn add(&mut self, laps: &[(&'static str, Duration)], clock: f64) {
        let mut decision: BTreeMap<&'static str, f64> = BTreeMap::new();
        for (stage, time) in laps {
            *decision.entry(stage).or_default() += nanoseconds(*time) - clock;
        }
        for (stage, time) in decision {
            let times = self.stages.entry(stage).or_default();
            if times.len() < MOST {
                times.push(time);
            }
        }
    }
}

/// Takes decisions apart: of each stage the median of each request, in the mean over the requests. `answers` are those of the
/// whole decisions.
pub(super) fn measure(
    subject: &dyn Subject,
    requests: &[Request],
    answers: &[Answer],
    job: &Job,
) -> Result<Figures, Stopped> {
    let staged =
        subject.staged().ok_or_else(|| Unavailable::NotApplicable("it has no stages to show".to_owned()))?;
    let mut staged = staged?;
    let clock = clock();
    let ready = requests.iter().zip(answers).map(|(request, whole)| {
        let proposed = propose(staged.as_mut(), request, whole)?;
        let question = subject.question(request)?;
        Ok(One { request, question, whole, proposed, samples: Samples::default() })
    });
    let mut all = ready.collect::<Result<Vec<_>, Stopped>>()?;
    timed(job, |counts| {
        for One { request, question, whole, samples, .. } in &mut all {
            let started = Instant::now();
            question.ask();
            let time = nanoseconds(started.elapsed()) - clock;
            if !question.came_to(whole) {
                return Err(changed(request, whole, question.answer()));
            }
            if counts && samples.whole.len() < MOST {
                samples.whole.push(time);
            }
        }
        for One { request, proposed, samples, .. } in &mut all {
            let mut laps = Vec::with_capacity(16);
            let mut last = Instant::now();
            let came = staged.decide(request, &mut |stage| {
                let now = Instant::now();
                laps.push((stage, now - last));
                last = Instant::now();
            });
            if !came.repeats(proposed) {
                return Err(changed(request, proposed, came));
            }
            if counts {
                samples.add(&laps, clock);
            }
        }
        Ok(())
    })?;
    figures(all.iter().map(|one| &one.samples)).ok_or_else(|| failed("no time was left for a sample"))
}

/// What the stages come to, which is what the whole decision came to.
fn propose(staged: &mut dyn Staged, request: &Request, whole: &Answer) -> Result<Answer, Stopped> {
    let proposed = staged.decide(request, &mut |_| {});
    if proposed == Answer::Effect(DecisionEffect::Redact) {
        let message = format!(
            "`{}` is redacted, which takes several rounds, and stages are shown of one: choose other requests",
            request.name
        );
        return Err(Unavailable::NotApplicable(message).into());
    }
    // The stages give no reason; faults are compared by their kinds.
    match whole.differs(&proposed, &request.payload, ReasonParity::Ignored) {
        Some(_) => Err(changed(request, whole, proposed)),
        None => Ok(proposed),
    }
}

fn changed(request: &Request, first: &Answer, then: Answer) -> Stopped {
    Stopped::Changed { request: request.name.clone(), first: Box::new(first.clone()), then: Box::new(then) }
}

fn figures<'s>(samples: impl Iterator<Item = &'s Samples> + Clone) -> Option<Figures> {
    let count = samples.clone().count() as f64;
    let whole: Vec<f64> = samples.clone().filter_map(|one| median(&one.whole)).collect();
    let mean = whole.iter().sum::<f64>() / count;
    let mut parts: BTreeMap<String, f64> = BTreeMap::new();
    for one in samples.clone() {
        for (stage, times) in &one.stages {
            *parts.entry((*stage).to_owned()).or_default() += median(times)? / count;
        }
    }
    let known: f64 = parts.values().sum();
    parts.insert(REST.to_owned(), mean - known);
    let mut figures = Figures::once(mean);
    figures.samples = samples.map(|one| one.whole.len() as u64).sum();
    figures.parts = parts;
    (figures.samples > 0).then_some(figures)
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}

/// What reading the clock costs.
fn clock() -> f64 {
    let readings: Vec<f64> = (0..READINGS)
        .map(|_| {
            let started = Instant::now();
            nanoseconds(started.elapsed())
        })
        .collect();
    median(&readings).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal::Decision;

    use super::*;
    use crate::model::Model;
    use crate::worker::Phase;

    /// Says of every request the same, as a whole and stage by stage, and changes its mind after so many.
    struct Planted {
        whole: Answer,
        staged: Answer,
        staged_changes_after: u32,
    }

    struct Whole<'p>(&'p Planted);

    struct Stages<'p>(&'p Planted, u32);

    impl Subject for Planted {
        fn version(&self) -> String {
            "planted 1".to_owned()
        }

        fn question<'s>(&'s self, _: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
            Ok(Box::new(Whole(self)))
        }

        fn staged<'s>(&'s self) -> Option<Result<Box<dyn Staged + 's>, Unavailable>> {
            Some(Ok(Box::new(Stages(self, 0))))
        }
    }

    impl Question for Whole<'_> {
        fn ask(&mut self) {}

        fn answer(&mut self) -> Answer {
            self.0.whole.clone()
        }
    }

    impl Staged for Stages<'_> {
        fn decide(&mut self, _: &Request, lap: &mut dyn FnMut(&'static str)) -> Answer {
            lap("evaluate");
            self.1 += 1;
            match self.1 > self.0.staged_changes_after {
                true => Answer::Effect(DecisionEffect::StepUp),
                false => self.0.staged.clone(),
            }
        }
    }

    /// The whole decision allows; the stages say what they are told to.
    fn taken_apart(first: DecisionEffect, staged: DecisionEffect, after: u32) -> Result<Figures, Stopped> {
        let whole = Answer::Decision { decision: Decision::allow(), fault: None };
        let planted = Planted { whole, staged: Answer::Effect(staged), staged_changes_after: after };
        let request = Request {
            name: "asked".to_owned(),
            text: b"{}".to_vec(),
            payload: json!({}),
            now: jiff::Timestamp::UNIX_EPOCH,
            token: None,
        };
        let job = Job {
            phase: Phase::Measure,
            subject: "planted".to_owned(),
            model: Model::Breakdown,
            packs: Vec::new(),
            requests: Vec::new(),
            threads: 1,
            budget_ms: 1,
            cache: None,
        };
        let first = match first {
            DecisionEffect::Allow => planted.whole.clone(),
            other => Answer::Effect(other),
        };
        measure(&planted, &[request], &[first], &job)
    }

    #[test]
    fn stages_and_whole_have_to_answer_alike_in_every_sample() {
        use DecisionEffect::{Allow, Deny, Redact};
        let figures = taken_apart(Allow, Allow, u32::MAX).unwrap();
        assert!(figures.parts.contains_key("evaluate") && figures.parts.contains_key(REST), "{figures:?}");
        let changed = |first, staged, after| match taken_apart(first, staged, after) {
            Err(Stopped::Changed { request, first, then }) => {
                assert_eq!(request, "asked");
                (first.brief(), then.brief())
            }
            other => panic!("{other:?}"),
        };
        let said = |first: &str, then: &str| (first.to_owned(), then.to_owned());
        // The stages decide otherwise; later on; the whole decision is not what it was.
        assert_eq!(changed(Allow, Deny, u32::MAX), said("allow", "deny"));
        assert_eq!(changed(Allow, Allow, 3), said("allow", "step_up"));
        assert_eq!(changed(Deny, Deny, u32::MAX), said("deny", "allow"));
        // A redaction is more than its first round.
        let Err(Stopped::Unavailable(Unavailable::NotApplicable(why))) =
            taken_apart(Redact, Redact, u32::MAX)
        else {
            panic!("a redaction is taken apart");
        };
        assert!(why.contains("`asked` is redacted"), "{why}");
    }

    #[test]
    fn a_stage_that_comes_twice_counts_with_all_of_its_time() {
        let mut samples = Samples::default();
        let lap = |stage, nanoseconds| (stage, Duration::from_nanos(nanoseconds));
        for _ in 0..MOST + 1 {
            samples.add(&[lap("evaluate", 70), lap("dump", 30), lap("evaluate", 50)], 20.0);
        }
        assert_eq!(samples.stages["evaluate"], vec![80.0; MOST]);
        assert_eq!(samples.stages["dump"], vec![10.0; MOST]);
    }

    #[test]
    fn stages_and_rest_add_up_to_the_whole_whatever_its_sign() {
        let one = |whole: &[f64], stage: &[f64]| Samples {
            whole: whole.to_vec(),
            stages: [("evaluate", stage.to_vec())].into(),
        };
        let samples = [one(&[100.0, 110.0, 900.0], &[120.0]), one(&[50.0], &[70.0, 60.0, 80.0])];
        let figures = figures(samples.iter()).unwrap();
        assert_eq!((figures.mean, figures.samples), (80.0, 4));
        assert_eq!(figures.parts, [("evaluate".to_owned(), 95.0), (REST.to_owned(), -15.0)].into());
    }
}
