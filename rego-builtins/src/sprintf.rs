//! `sprintf`: Go's `fmt.Sprintf` over the argument types OPA passes it.

use num_bigint::{BigInt, Sign};

use crate::builtin::{Builtin, Context, Failure, Outcome};
use crate::go_float;
use crate::limits;
use crate::number::Number;
use crate::operand::{array, operands, string};
use crate::quote;
use crate::strings::{bounded, too_long};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[Builtin::new("sprintf", 2, sprintf)];

/// An argument beyond this is no width or precision, in Go too.
const MAX_WIDTH: i64 = 1_000_000;

fn sprintf(_: &Context, args: &[Value]) -> Outcome {
    let [format, values] = operands(args)?;
    let format = string(format, 1)?;
    let values: Vec<Arg> = array(values, 2)?.iter().map(Arg::of).collect();
    bounded(Printer { out: String::new(), args: &values, next: 0, reordered: false }.print(format)?)
}

/// An argument as the Go type OPA makes of it.
enum Arg {
    Int(i64),
    Big(BigInt),
    Float(f64),
    /// Strings, and every other value as OPA prints it.
    Text(String),
}

impl Arg {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Arg::Text(text.to_string()),
            Value::Number(number) => Arg::of_number(number),
            other => Arg::Text(other.to_string()),
        }
    }

    fn of_number(number: &Number) -> Self {
        let converted = if number.is_float_text() {
            number.as_f64().map(Arg::Float)
        } else {
            number.as_i64().map(Arg::Int).or_else(|| number.to_bigint().map(Arg::Big))
        };
        converted.unwrap_or_else(|| Arg::Text(number.to_string()))
    }

    fn type_name(&self) -> &'static str {
        match self {
            Arg::Int(_) => "int64",
            Arg::Big(_) => "*big.Int",
            Arg::Float(_) => "float64",
            Arg::Text(_) => "string",
        }
    }
}

/// The flags, width and precision of one verb.
#[derive(Default, Clone, Copy)]
struct Spec {
    sharp: bool,
    zero: bool,
    plus: bool,
    minus: bool,
    space: bool,
    /// `%#v`.
    sharp_v: bool,
    /// `%+v`.
    plus_v: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Spec {
    /// What stands before a number.
    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }
}

struct Printer<'a> {
    out: String,
    args: &'a [Arg],
    next: usize,
    reordered: bool,
}

impl Printer<'_> {
    fn print(mut self, format: &str) -> Result<String, Failure> {
        let mut rest = format;
        while let Some((plain, after)) = rest.split_once('%') {
            self.out.push_str(plain);
            match self.verb(after)? {
                Some(after) => rest = after,
                None => {
                    rest = "";
                    break;
                }
            }
            if self.out.len() > limits::MAX_STRING_BYTES {
                return too_long();
            }
        }
        self.out.push_str(rest);
        if !self.reordered {
            self.extra()?;
        }
        Ok(self.out)
    }

    /// Prints one verb and returns what follows it; `None` where the format ends within it.
    fn verb<'f>(&mut self, format: &'f str) -> Result<Option<&'f str>, Failure> {
        let mut spec = Spec::default();
        let mut rest = format;
        while let Some(flag) = rest.chars().next() {
            match flag {
                '#' => spec.sharp = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                '-' => spec.minus = true,
                ' ' => spec.space = true,
                _ => break,
            }
            rest = rest.strip_prefix(flag).unwrap_or("");
        }
        let mut good = true;
        let mut after_index = self.index(&mut rest, &mut good);
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            match self.star() {
                Some(width) => {
                    spec.width = usize::try_from(width.unsigned_abs()).ok();
                    if width < 0 {
                        spec.minus = true;
                        spec.zero = false;
                    }
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            spec.width = take_number(&mut rest);
            good &= !(after_index && spec.width.is_some());
        }
        // As in Go, a final dot is not a precision but the verb.
        if let Some(after) = rest.strip_prefix('.').filter(|after| !after.is_empty()) {
            rest = after;
            good &= !after_index;
            after_index = self.index(&mut rest, &mut good);
            if let Some(after) = rest.strip_prefix('*') {
                rest = after;
                match self.star() {
                    Some(precision) if precision >= 0 => spec.precision = usize::try_from(precision).ok(),
                    _ => self.out.push_str("%!(BADPREC)"),
                }
                after_index = false;
            } else {
                spec.precision = Some(take_number(&mut rest).unwrap_or(0));
            }
        }
        if !after_index {
            self.index(&mut rest, &mut good);
        }
        let mut chars = rest.chars();
        let Some(verb) = chars.next() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(None);
        };
        if verb == '%' {
            self.out.push('%');
        } else if !good {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(arg) = self.args.get(self.next) {
            if matches!(verb, 'v' | 'w') {
                spec.sharp_v = std::mem::take(&mut spec.sharp);
                spec.plus_v = std::mem::take(&mut spec.plus);
            }
            self.next += 1;
            self.arg(arg, verb, spec)?;
        } else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
        }
        Ok(Some(chars.as_str()))
    }

    /// Reads an explicit argument index, `[3]`; whether there was a good one.
    fn index(&mut self, rest: &mut &str, good: &mut bool) -> bool {
        if !rest.starts_with('[') {
            return false;
        }
        self.reordered = true;
        let Some((inner, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) else {
            *good = false;
            *rest = rest.strip_prefix('[').unwrap_or("");
            return false;
        };
        *rest = after;
        let mut digits = inner;
        let number = take_number(&mut digits).filter(|_| digits.is_empty());
        let index = number.and_then(|n| n.checked_sub(1)).filter(|index| *index < self.args.len());
        match index {
            Some(index) => self.next = index,
            None => *good = false,
        }
        number.is_some()
    }

    /// The argument as a width or precision; it is used up whatever it is.
    fn star(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        match arg {
            Arg::Int(n) if n.unsigned_abs() <= MAX_WIDTH.unsigned_abs() => Some(*n),
            _ => None,
        }
    }

    fn extra(&mut self) -> Result<(), Failure> {
        let rest: Vec<&Arg> = self.args.iter().skip(self.next).collect();
        if rest.is_empty() {
            return Ok(());
        }
        self.out.push_str("%!(EXTRA ");
        for (index, arg) in rest.into_iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(arg.type_name());
            self.out.push('=');
            self.arg(arg, 'v', Spec::default())?;
        }
        self.out.push(')');
        Ok(())
    }

    fn arg(&mut self, arg: &Arg, verb: char, spec: Spec) -> Result<(), Failure> {
        match (verb, arg) {
            ('T', arg) => self.text(arg.type_name(), spec),
            // A pointer's address would not be reproducible; values have none.
            ('p', Arg::Big(_)) => return Err(Failure::new("verb `%p` prints an address")),
            (_, Arg::Big(value)) => self.big(value, verb, spec),
            ('p', arg) => self.bad_verb(arg, verb, spec)?,
            (_, Arg::Int(value)) => match verb {
                'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.integer(*value, verb, spec),
                'c' => self.padded(&character(*value).to_string(), spec),
                'q' => {
                    let c = character(*value).to_string();
                    self.padded(&quote::quoted(&c, '\'', spec.plus), spec);
                }
                'U' => self.unicode(*value, spec),
                _ => self.bad_verb(arg, verb, spec)?,
            },
            (_, Arg::Float(value)) => match verb {
                'v' => self.float(*value, 'g', None, spec),
                'b' | 'g' | 'G' | 'x' | 'X' => self.float(*value, verb, None, spec),
                'f' | 'e' | 'E' => self.float(*value, verb, Some(6), spec),
                'F' => self.float(*value, 'f', Some(6), spec),
                _ => self.bad_verb(arg, verb, spec)?,
            },
            (_, Arg::Text(value)) => match verb {
                'v' if spec.sharp_v => self.quoted(value, spec),
                'v' | 's' => self.text(value, spec),
                'x' | 'X' => self.hex(value, verb, spec),
                'q' => self.quoted(value, spec),
                _ => self.bad_verb(arg, verb, spec)?,
            },
        }
        Ok(())
    }

    fn bad_verb(&mut self, arg: &Arg, verb: char, spec: Spec) -> Result<(), Failure> {
        self.out.push_str(&format!("%!{verb}({}=", arg.type_name()));
        self.arg(arg, 'v', spec)?;
        self.out.push(')');
        Ok(())
    }

    /// Pads to the width, with zeros to the left where that flag is set.
    fn padded(&mut self, text: &str, spec: Spec) {
        let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = if spec.zero && !spec.minus { '0' } else { ' ' };
        if !spec.minus {
            self.out.extend(std::iter::repeat_n(fill, missing));
        }
        self.out.push_str(text);
        if spec.minus {
            self.out.extend(std::iter::repeat_n(' ', missing));
        }
    }

    fn text(&mut self, text: &str, spec: Spec) {
        self.padded(&truncated(text, spec), spec);
    }

    fn quoted(&mut self, text: &str, spec: Spec) {
        let text = truncated(text, spec);
        if spec.sharp && can_backquote(&text) {
            self.padded(&format!("`{text}`"), spec);
        } else {
            self.padded(&quote::quoted(&text, '"', spec.plus), spec);
        }
    }

    fn hex(&mut self, text: &str, verb: char, spec: Spec) {
        let length = spec.precision.unwrap_or(text.len()).min(text.len());
        let prefix = match (spec.sharp, verb) {
            (false, _) => "",
            (true, 'x') => "0x",
            (true, _) => "0X",
        };
        let mut out = String::new();
        for (index, byte) in text.bytes().take(length).enumerate() {
            if index > 0 && spec.space {
                out.push(' ');
            }
            if index == 0 || spec.space {
                out.push_str(prefix);
            }
            out.push_str(&if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") });
        }
        self.padded(&out, spec);
    }

    fn integer(&mut self, value: i64, verb: char, spec: Spec) {
        let negative = value < 0;
        let magnitude = value.unsigned_abs();
        let signed = negative || spec.plus || spec.space;
        let unpadded = Spec { zero: false, ..spec };
        let mut digits_wanted = 0;
        if let Some(precision) = spec.precision {
            if precision == 0 && value == 0 {
                self.padded("", unpadded);
                return;
            }
            digits_wanted = precision;
        } else if let Some(width) = spec.width.filter(|_| spec.zero && !spec.minus) {
            digits_wanted = if signed { width.saturating_sub(1) } else { width };
        }
        let digits = match verb {
            'b' => format!("{magnitude:b}"),
            'o' | 'O' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        let mut number = "0".repeat(digits_wanted.saturating_sub(digits.len()));
        number.push_str(&digits);
        let prefix = match verb {
            'b' if spec.sharp => "0b",
            'o' if spec.sharp && !number.starts_with('0') => "0",
            'O' if spec.sharp && !number.starts_with('0') => "0o0",
            'O' => "0o",
            'x' if spec.sharp => "0x",
            'X' if spec.sharp => "0X",
            _ => "",
        };
        let sign = spec.sign(negative);
        self.padded(&format!("{sign}{prefix}{number}"), unpadded);
    }

    /// `big.Int.Format`, which differs from the integers' own in several corners.
    fn big(&mut self, value: &BigInt, verb: char, spec: Spec) {
        let base = match verb {
            'b' => 2,
            'o' | 'O' => 8,
            'd' | 's' | 'v' => 10,
            'x' | 'X' => 16,
            _ => {
                self.out.push_str(&format!("%!{verb}(big.Int={value})"));
                return;
            }
        };
        let (plus, sharp) = (spec.plus || spec.plus_v, spec.sharp || spec.sharp_v);
        let sign = match value.sign() {
            Sign::Minus => "-",
            _ if plus => "+",
            _ if spec.space => " ",
            _ => "",
        };
        let prefix = match verb {
            'b' if sharp => "0b",
            'o' if sharp => "0",
            'x' if sharp => "0x",
            'X' if sharp => "0X",
            'O' => "0o",
            _ => "",
        };
        let mut digits = value.magnitude().to_str_radix(base);
        if verb == 'X' {
            digits.make_ascii_uppercase();
        }
        let mut zeros = 0;
        if let Some(precision) = spec.precision {
            zeros = precision.saturating_sub(digits.len());
        }
        let length = sign.len() + prefix.len() + zeros + digits.len();
        let missing = spec.width.unwrap_or(0).saturating_sub(length);
        let (mut left, mut right) = (0, 0);
        if spec.minus {
            right = missing;
        } else if spec.zero && spec.precision.is_none() {
            zeros += missing;
        } else {
            left = missing;
        }
        let (left, zeros, right) = (" ".repeat(left), "0".repeat(zeros), " ".repeat(right));
        self.out.push_str(&format!("{left}{sign}{prefix}{zeros}{digits}{right}"));
    }

    fn unicode(&mut self, value: i64, spec: Spec) {
        // Negative numbers are shown as the unsigned ones they are cast to.
        let code = value.cast_unsigned();
        let mut out = format!("U+{code:0width$X}", width = spec.precision.unwrap_or(0).max(4));
        let printable = u32::try_from(code).ok().and_then(char::from_u32).filter(|c| quote::is_print(*c));
        if let Some(c) = printable.filter(|_| spec.sharp) {
            out.push_str(&format!(" '{c}'"));
        }
        self.padded(&out, Spec { zero: false, ..spec });
    }

    fn float(&mut self, value: f64, verb: char, default_precision: Option<usize>, spec: Spec) {
        let precision = spec.precision.or(default_precision);
        let mut number = go_float::format(value.abs(), verb, precision);
        if spec.sharp && verb != 'b' {
            number = go_float::with_point(&number, verb, precision);
        }
        let sign = spec.sign(value.is_sign_negative());
        if spec.zero && !spec.minus && !sign.is_empty() {
            let missing = spec.width.unwrap_or(0).saturating_sub(number.len() + 1);
            self.out.push_str(&format!("{sign}{}{number}", "0".repeat(missing)));
        } else {
            self.padded(&format!("{sign}{number}"), spec);
        }
    }
}

/// Reads digits; at a number that grows beyond a million and more, Go gives up on the whole rest of the format.
fn take_number(rest: &mut &str) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
        let before = number.unwrap_or(0);
        if before > 1_000_000 {
            *rest = "";
            return None;
        }
        number = Some(before * 10 + usize::try_from(digit).ok()?);
        let mut chars = rest.chars();
        chars.next();
        *rest = chars.as_str();
    }
    number
}

fn truncated(text: &str, spec: Spec) -> String {
    text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect()
}

fn character(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Go's `strconv.CanBackquote`.
fn can_backquote(text: &str) -> bool {
    text.chars().all(|c| c != '\u{feff}' && c != '`' && c != '\u{7f}' && (c >= ' ' || c == '\t'))
}
