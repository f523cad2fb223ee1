//! What CSS hides: declarations of an element, and style sheets as far as they name classes, ids and elements.

use std::collections::HashMap;

/// What a list of declarations says about whether text can be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Whether nothing in it can be seen, whatever its colours.
    pub(super) conceals: bool,
    pub(super) colour: Option<Colour>,
    pub(super) background: Option<Background>,
}

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// What stands behind a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Background {
    Colour(Colour),
    /// A picture or a gradient.
    Picture,
}

impl Style {
    pub(super) const VISIBLE: Self = Self { conceals: false, colour: None, background: None };

    /// Reads declarations, as in a `style` attribute.
    pub(super) fn of_declarations(declarations: &str) -> Self {
        Self::of_bare_declarations(&without_comments(declarations))
    }

    fn of_bare_declarations(declarations: &str) -> Self {
        let mut style = Self::default();
        let (mut is_positioned, mut is_off) = (false, false);
        for declaration in declarations.to_ascii_lowercase().split(';') {
            let Some((property, value)) = declaration.split_once(':') else { continue };
            // Space may stand on either side of the exclamation mark.
            let value = match value.rsplit_once('!') {
                Some((value, word)) if word.trim() == "important" => value.trim(),
                _ => value.trim(),
            };
            match property.trim() {
                "display" => style.conceals |= value == "none",
                "visibility" => style.conceals |= matches!(value, "hidden" | "collapse"),
                "content-visibility" => style.conceals |= value == "hidden",
                "opacity" => style.conceals |= number(value).is_some_and(|opacity| opacity <= 0.05),
                "font-size" => style.conceals |= length(value).is_some_and(|size| size < 2.0),
                "font" => {
                    let size = value.split_ascii_whitespace().find_map(|part| {
                        length(part.split('/').next().unwrap_or(part))
                            .filter(|_| part.starts_with(|char: char| char.is_ascii_digit()))
                    });
                    style.conceals |= size.is_some_and(|size| size < 2.0);
                }
                "width" | "height" | "max-width" | "max-height" | "line-height" | "zoom" | "scale" => {
                    style.conceals |=
                        length(value).is_some_and(|size| size <= 0.0 && !value.starts_with('-'));
                }
                "position" => is_positioned = matches!(value, "absolute" | "fixed" | "relative"),
                "left" | "right" | "top" | "bottom" | "inset" => {
                    is_off |= value.split_ascii_whitespace().any(is_far);
                }
                "text-indent" | "margin" | "margin-left" | "margin-top" => {
                    style.conceals |= value.split_ascii_whitespace().any(is_far);
                }
                "transform" => {
                    let arguments = value.split(['(', ',', ')']).map(str::trim);
                    style.conceals |= value.contains("scale") && arguments.clone().any(|part| part == "0")
                        || value.contains("translate") && arguments.clone().any(is_far);
                }
                "clip" => style.conceals |= is_clipped(value),
                "clip-path" => {
                    style.conceals |= ["inset(50%", "inset(100%", "circle(0", "polygon(0 0, 0 0"]
                        .iter()
                        .any(|nothing| value.starts_with(nothing));
                }
                "filter" => style.conceals |= value.contains("opacity(0"),
                "color" | "-webkit-text-fill-color" => match colour(value) {
                    Some(Some(colour)) => style.colour = Some(colour),
                    Some(None) => style.conceals = true,
                    None => {}
                },
                "background" | "background-color" | "background-image" => {
                    style.background = background(value).or(style.background);
                }
                _ => {}
            }
        }
        style.conceals |= is_positioned && is_off;
        style
    }

    /// What this and another say together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            conceals: self.conceals || other.conceals,
            colour: other.colour.or(self.colour),
            background: other.background.or(self.background),
        }
    }
}

/// Whether one can hardly be told from the other.
pub(super) fn are_alike(one: Colour, other: Colour) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 16)
}

/// Style sheets, by the last class, id or element that a selector names.
///
/// Whether the rest of a selector holds is not looked at: what might be hidden is taken to be.
#[derive(Debug, Default)]
pub(super) struct Sheet(HashMap<String, Style>);

impl Sheet {
    /// Reads the text of a `<style>` element.
    pub(super) fn add(&mut self, css: &str) {
        let css = without_comments(css);
        let mut rest = css.as_str();
        // Blocks inside blocks (`@media`) need no care: the innermost is what has declarations.
        while let Some((before, after)) = rest.split_once('{') {
            rest = after;
            let selectors = before.rsplit(['}', ';']).next().unwrap_or(before);
            let end = after.find(['{', '}']).unwrap_or(after.len());
            let (declarations, is_innermost) = match after.split_at_checked(end) {
                Some((declarations, next)) => (declarations, !next.starts_with('{')),
                None => (after, true),
            };
            let style = Style::of_bare_declarations(declarations);
            if is_innermost && style != Style::VISIBLE {
                for key in selectors.split(',').filter_map(key) {
                    let entry = self.0.entry(key).or_default();
                    *entry = entry.and(style);
                }
            }
        }
    }

    /// What the sheets say of an element.
    pub(super) fn style(&self, element: &str, id: Option<&str>, classes: Option<&str>) -> Style {
        if self.0.is_empty() {
            return Style::VISIBLE;
        }
        let id = id.map(|id| format!("#{}", id.trim()));
        let classes =
            classes.into_iter().flat_map(str::split_ascii_whitespace).map(|class| format!(".{class}"));
        ["*".to_owned(), element.to_owned()]
            .into_iter()
            .chain(classes)
            .chain(id)
            .filter_map(|key| self.0.get(&key))
            .fold(Style::VISIBLE, |all, style| all.and(*style))
    }
}

/// The last id, class or element of a selector; `None` where it selects only what is not there (`::before`) or a state.
fn key(selector: &str) -> Option<String> {
    let compound = selector.trim().rsplit([' ', '>', '+', '~', '\n', '\t']).next()?;
    let (compound, pseudo) = compound.split_once(':').unwrap_or((compound, ""));
    if !pseudo.is_empty() && !pseudo.starts_with("not") && !pseudo.starts_with("is") {
        return None;
    }
    let compound = compound.split('[').next()?;
    let at = compound.rfind('#').or_else(|| compound.rfind('.'));
    let key = at.and_then(|at| compound.get(at..)).unwrap_or(compound);
    // Names of elements have no case; classes and ids have.
    let key = if key.starts_with(['#', '.']) { key.to_owned() } else { key.to_ascii_lowercase() };
    (!key.is_empty() && !key.starts_with('@')).then_some(key)
}

/// CSS without its comments; inside of a text or a URL there are none.
fn without_comments(css: &str) -> String {
    let mut kept = String::new();
    let mut rest = css;
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
            continue;
        }
        let length = match first {
            '"' | '\'' => end_of(rest, 1, &[first, '\n']),
            'u' | 'U' if is_bare_url(rest) => end_of(rest, 4, &[')']),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        kept.push_str(token);
        rest = after;
    }
    kept
}

fn is_bare_url(css: &str) -> bool {
    css.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("url("))
        && !css.get(4..).is_some_and(|inside| inside.trim_start().starts_with(['"', '\'']))
}

/// How long a token is that began so many bytes ago, and ends with one of some characters that is not escaped.
fn end_of(css: &str, begun: usize, ends: &[char]) -> usize {
    let mut is_escaped = false;
    for (at, char) in css.char_indices().skip_while(|(at, _)| *at < begun) {
        if !is_escaped && ends.contains(&char) {
            return at + char.len_utf8();
        }
        is_escaped = char == '\\' && !is_escaped;
    }
    css.len()
}

/// What every `url(…)` in CSS leads to.
pub(super) fn urls(css: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = css;
    while let Some(at) = find_url(rest) {
        let after = rest.get(at..).unwrap_or("");
        let (inside, next) = after.split_once(')').unwrap_or((after, ""));
        found.push(inside.trim().trim_matches(['"', '\'']).to_owned());
        rest = next;
    }
    found
}

fn find_url(css: &str) -> Option<usize> {
    css.as_bytes().windows(4).position(|window| window.eq_ignore_ascii_case(b"url(")).map(|at| at + 4)
}

fn number(value: &str) -> Option<f64> {
    match value.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => value.parse().ok(),
    }
}

/// A length, roughly in pixels.
fn length(value: &str) -> Option<f64> {
    let digits =
        value.find(|char: char| !(char.is_ascii_digit() || ".-+".contains(char))).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(digits)?;
    let number: f64 = number.parse().ok()?;
    Some(match unit.trim() {
        "em" | "rem" | "ch" | "ex" | "vw" | "vh" => number * 10.0,
        // Of a scale or a percentage only nothing at all is nothing.
        "%" => number,
        "cm" | "in" => number * 38.0,
        "pt" | "pc" | "mm" => number * 1.3,
        _ => number,
    })
}

fn is_far(value: &str) -> bool {
    length(value).is_some_and(|length| length <= -500.0 || (value.ends_with('%') && length <= -90.0))
}

/// `rect(…)` without area.
fn is_clipped(value: &str) -> bool {
    let Some(inside) = value.strip_prefix("rect(").and_then(|rest| rest.strip_suffix(')')) else {
        return false;
    };
    let sides: Vec<Option<f64>> =
        inside.split([',', ' ']).filter(|part| !part.is_empty()).map(length).collect();
    matches!(sides.as_slice(), [Some(top), Some(right), Some(bottom), Some(left)] if bottom - top <= 1.0 || right - left <= 1.0)
}

fn background(value: &str) -> Option<Background> {
    if value.contains("url(") || value.contains("gradient(") || value.contains("var(") {
        return Some(Background::Picture);
    }
    let whole = colour(value);
    let parts = || value.split_ascii_whitespace().find_map(colour);
    whole.or_else(parts).flatten().map(Background::Colour)
}

/// A colour; `Some(None)` is a transparent one.
pub(super) fn colour(value: &str) -> Option<Option<Colour>> {
    let value = value.trim().to_ascii_lowercase();
    if let Some(hex) = value.strip_prefix('#') {
        let digits: Vec<u8> = hex
            .chars()
            .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        return match digits.as_slice() {
            [_, _, _, 0] | [_, _, _, _, _, _, 0, 0] => Some(None),
            [r, g, b] | [r, g, b, _] => Some(Some([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] | [r, s, g, h, b, c, _, _] => Some(Some([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => None,
        };
    }
    if let Some(inside) = value.strip_prefix("rgba(").or_else(|| value.strip_prefix("rgb(")) {
        let parts: Vec<&str> =
            inside.trim_end_matches(')').split([',', ' ', '/']).filter(|part| !part.is_empty()).collect();
        let [r, g, b, alpha @ ..] = parts.as_slice() else { return None };
        if alpha.first().and_then(|alpha| number(alpha)).is_some_and(|alpha| alpha <= 0.05) {
            return Some(None);
        }
        return Some(Some([channel(r)?, channel(g)?, channel(b)?]));
    }
    if let Some(inside) = value.strip_prefix("hsla(").or_else(|| value.strip_prefix("hsl(")) {
        let parts: Vec<&str> =
            inside.trim_end_matches(')').split([',', ' ', '/']).filter(|part| !part.is_empty()).collect();
        let [_, _, light, alpha @ ..] = parts.as_slice() else { return None };
        if alpha.first().and_then(|alpha| number(alpha)).is_some_and(|alpha| alpha <= 0.05) {
            return Some(None);
        }
        // Only white and black are of interest here.
        return match number(light)? {
            light if light >= 0.95 => Some(Some([255; 3])),
            light if light <= 0.05 => Some(Some([0; 3])),
            _ => None,
        };
    }
    let named = match value.as_str() {
        "transparent" => return Some(None),
        "white" => [255, 255, 255],
        "snow" => [255, 250, 250],
        "ivory" => [255, 255, 240],
        "ghostwhite" => [248, 248, 255],
        "floralwhite" => [255, 250, 240],
        "whitesmoke" => [245, 245, 245],
        "mintcream" => [245, 255, 250],
        "azure" => [240, 255, 255],
        "black" => [0, 0, 0],
        "silver" => [192, 192, 192],
        "gray" | "grey" => [128, 128, 128],
        "lightgray" | "lightgrey" => [211, 211, 211],
        "red" => [255, 0, 0],
        "maroon" => [128, 0, 0],
        "yellow" => [255, 255, 0],
        "green" => [0, 128, 0],
        "lime" => [0, 255, 0],
        "blue" => [0, 0, 255],
        "navy" => [0, 0, 128],
        "orange" => [255, 165, 0],
        "purple" => [128, 0, 128],
        _ => return None,
    };
    Some(Some(named))
}

fn channel(value: &str) -> Option<u8> {
    let share = match value.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? * 2.55,
        None => value.parse::<f64>().ok()?,
    };
    // Saturates, as CSS does.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range just before"
    )]
    Some(share.clamp(0.0, 255.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_that_conceal_are_told_from_those_that_do_not() {
        for (declarations, conceals) in [
            ("display:none", true),
            ("DISPLAY : None !important", true),
            ("color:red;visibility:hidden", true),
            ("opacity:0", true),
            ("opacity: 0.0;", true),
            ("font-size:0", true),
            ("font-size: 1px", true),
            ("font: 0/0 a", true),
            ("width:0;height:0", true),
            ("max-height:0px;overflow:hidden", true),
            ("position:absolute;left:-9999px", true),
            ("top:-1000em;position:fixed", true),
            ("text-indent:-9999px", true),
            ("clip:rect(0,0,0,0)", true),
            ("clip: rect(1px 1px 1px 1px)", true),
            ("clip-path: inset(50%)", true),
            ("transform:scale(0)", true),
            ("transform:translateX(-2000px)", true),
            ("color:transparent", true),
            ("color:rgba(0,0,0,0)", true),
            ("color:#fff0", true),
            ("display:block", false),
            ("opacity:0.5", false),
            ("font-size:12px", false),
            ("font-size:0.9em", false),
            ("font: bold 12px/1.5 serif", false),
            ("width:100%", false),
            ("margin:0", false),
            ("left:-10px;position:relative", false),
            ("left:-9999px", false),
            ("transform:scale(0.5)", false),
            ("color:#000", false),
            ("nonsense", false),
            ("", false),
        ] {
            assert_eq!(Style::of_declarations(declarations).conceals, conceals, "{declarations}");
        }
    }

    #[test]
    fn colours_are_read_in_every_notation() {
        for (written, colour_read) in [
            ("#FFF", Some(Some([255; 3]))),
            ("#fefefe", Some(Some([254; 3]))),
            ("rgb(255, 255, 255)", Some(Some([255; 3]))),
            ("rgb(100% 100% 100% / 50%)", Some(Some([255; 3]))),
            ("hsl(0, 0%, 100%)", Some(Some([255; 3]))),
            ("rgba(1,2,3,0)", Some(None)),
            ("white", Some(Some([255; 3]))),
            ("currentcolor", None),
            ("#12", None),
        ] {
            assert_eq!(colour(written), colour_read, "{written}");
        }
        assert!(are_alike([255; 3], [245; 3]) && !are_alike([255; 3], [128; 3]));
    }

    #[test]
    fn comments_are_taken_out_and_nothing_else() {
        for (css, kept) in [
            ("a/* b */c/**/d/* e", "acd"),
            ("a: url(/*); b/* c */", "a: url(/*); b"),
            ("a: URL( '/*' ); b /*", "a: URL( '/*' ); b "),
            (r#"a: "\"/*"; b: '/*\n' /*"#, r#"a: "\"/*"; b: '/*\n' "#),
            ("a: '/*\nb/*c*/", "a: '/*\nb"),
            (r"url(\)/*)/**/", r"url(\)/*)"),
            ("ü/*é*/\"", "ü\""),
        ] {
            assert_eq!(without_comments(css), kept);
        }
    }

    #[test]
    fn sheets_are_read_by_their_last_name() {
        let mut sheet = Sheet::default();
        sheet.add(
            "/* .no{display:none} */ body .x, #Y > p.z {display:none}\n@media screen { .m { opacity:0 } }\n\
             .after::before{display:none} @import 'a'; .i{visibility:hidden} .ok{color:red} h6{font-size:0",
        );
        for (element, id, classes, conceals) in [
            ("div", None, Some("a x"), true),
            ("p", None, Some("z"), true),
            ("p", Some("Y"), None, false),
            ("p", None, Some("m"), true),
            ("p", None, Some("i"), true),
            ("h6", None, None, true),
            ("p", None, Some("no after ok"), false),
            ("p", None, Some("X"), false),
        ] {
            assert_eq!(sheet.style(element, id, classes).conceals, conceals, "{element} {id:?} {classes:?}");
        }
    }
}
