//! One regorus engine, built from source and data, and what it answers.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regorus::Value;
use regorus::utils::limits::ExecutionTimerConfig;
use serde_json::Value as Json;
use tribunal_engine_core::engine::Prepared;
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};

use crate::builtins::{self, Call};
use crate::convert::{Unrepresentable, from_json, to_json};
use crate::error::Report;
use crate::settings::Question;

/// Steps of the interpreter between two looks at the clock: at 25 ns a look they cost nothing, and they take less
/// than the time of one look at a loaded machine's scheduler.
const STEPS_PER_LOOK: NonZeroU32 = NonZeroU32::new(32).unwrap();

/// What a worker is built from, shared by all threads.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Rego by file, with the name errors use.
    pub(crate) sources: Arc<[Source]>,
    /// The root of `data`.
    pub(crate) data: Arc<Json>,
    /// The rules asked, as regorus writes their paths.
    pub(crate) question: Question<String>,
    /// Whether a built-in error is a fault.
    pub(crate) strict: bool,
    /// Time one decision may take.
    pub(crate) deadline: Duration,
    /// Bytes an answer may have.
    pub(crate) output: u64,
}

/// One file of Rego.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The file as the user names it.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

/// The answers of the rules asked.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Of the one rule; `None` is undefined.
    Decision(Option<Json>),
    /// Of the pair.
    AllowAndReason { allow: Option<Json>, reason: Option<Json> },
}

/// An engine of one thread. After an error it is in an unknown state and must be thrown away.
#[derive(Debug)]
pub(crate) struct Worker {
    engine: regorus::Engine,
    call: Call,
}

impl Worker {
    /// Builds an engine. Nothing in it is shared with another thread.
    ///
    /// # Errors
    /// What regorus says against the policy or the data.
    pub(crate) fn build(sources: &[Source], data: &Json, strict: bool) -> Result<Self, Report> {
        let report = |text: String| Report::read(&text);
        let mut engine = regorus::Engine::new();
        // Always strict, whatever the pack says: in its lenient mode regorus swallows conflicts inside functions. The
        // built-ins are lenient themselves.
        engine.set_strict_builtin_errors(true);
        // Gathered prints are dropped; others would go to stderr.
        engine.set_gather_prints(true);
        let call = Call::new();
        builtins::register(&mut engine, &call, strict).map_err(report)?;
        for Source { name, text } in sources {
            engine.add_policy(name.clone(), text.clone()).map_err(|error| report(error.to_string()))?;
        }
        let data = from_json(data)
            .map_err(|Unrepresentable(number)| report(format!("data has the number {number}")))?;
        engine.add_data(data).map_err(|error| report(error.to_string()))?;
        Ok(Self { engine, call })
    }

    /// Makes the engine analyse the policy now, so that what is wrong with it is known before the first request.
    pub(crate) fn prepare(&mut self, rule: &str) -> Result<(), Report> {
        self.engine
            .compile_with_entrypoint(&rule.into())
            .map(|_| ())
            .map_err(|error| Report::read(&error.to_string()))
    }

    /// Asks the rules of a policy about a request.
    pub(crate) fn ask(&mut self, policy: &Policy, request: &Prepared<'_>) -> Result<Answer, Fault> {
        self.ask_in(policy, request, |_| {})
    }

    /// [`Worker::ask`], telling `lap` of the end of each stage.
    pub(crate) fn ask_in(
        &mut self,
        policy: &Policy,
        request: &Prepared<'_>,
        mut lap: impl FnMut(&'static str),
    ) -> Result<Answer, Fault> {
        let input = from_json(request.payload()).map_err(|Unrepresentable(number)| {
            Fault::new(FaultKind::Unrepresentable, format!("the request has the number {number}"))
        })?;
        let now_ns = i64::try_from(request.now().as_nanosecond()).map_err(|_| {
            Fault::new(FaultKind::Unrepresentable, "the instant is outside what `time.now_ns` can tell")
        })?;
        let deadline = Instant::now() + policy.deadline;
        self.begin(now_ns, deadline, input);
        lap("convert");
        let mut ask = |rule: &str| {
            let value = self.rule(rule, deadline)?;
            lap("evaluate");
            let answer = to_json(&value, policy.output);
            lap("dump");
            answer
        };
        let answer = match &policy.question {
            Question::Decision(rule) => Answer::Decision(ask(rule)?),
            Question::AllowAndReason { allow, reason } => {
                Answer::AllowAndReason { allow: ask(allow)?, reason: ask(reason)? }
            }
        };
        // A worker that waits for its next request keeps nothing of this one.
        self.engine.set_input(Value::Undefined);
        self.engine.take_prints().map_err(|error| Report::read(&error.to_string()).fault())?;
        Ok(answer)
    }

    /// Begins an evaluation.
    pub(crate) fn begin(&mut self, now_ns: i64, deadline: Instant, input: Value) {
        self.call.begin(now_ns, deadline);
        self.engine.set_input(input);
    }

    /// The value of a rule for the input of the evaluation begun.
    pub(crate) fn rule(&mut self, rule: &str, deadline: Instant) -> Result<Value, Fault> {
        let limit = deadline.saturating_duration_since(Instant::now());
        self.engine
            .set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: STEPS_PER_LOOK });
        let result = self.engine.eval_rule(rule.to_owned());
        if let Some(fault) = self.call.take_fault() {
            return Err(fault);
        }
        result.map_err(|error| match error.downcast_ref::<regorus::LimitError>() {
            Some(limit @ regorus::LimitError::TimeLimitExceeded { .. }) => {
                Fault::new(FaultKind::Limit(LimitKind::Deadline), limit.to_string())
            }
            _ => Report::read(&error.to_string()).fault(),
        })
    }

    /// Begins to record which lines are evaluated, anew if it did already.
    pub(crate) fn record_lines(&mut self) {
        self.engine.set_enable_coverage(true);
        self.engine.clear_coverage_data();
    }

    /// The lines evaluated and not evaluated, by file.
    pub(crate) fn lines(&self) -> Result<Vec<regorus::coverage::File>, Fault> {
        let report =
            self.engine.get_coverage_report().map_err(|error| Report::read(&error.to_string()).fault())?;
        Ok(report.files)
    }
}
