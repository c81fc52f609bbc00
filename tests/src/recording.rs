//! What was seen in terminals, as a picture that plays it: an SVG that needs no script. Where
//! nothing moves, all of it is shown.
//!
//! Knows nothing of what was run.

use std::fmt::Write;
use std::time::Duration;

/// A longer pause is cut: nobody wants to watch a compiler.
const PAUSE: Duration = Duration::from_millis(1500);

/// The width of ten letters, and the height of a line.
const WIDTH: usize = 78;
const HEIGHT: usize = 19;
const MARGIN: usize = 14;

/// A line in a terminal.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it came, since the recording began.
    pub at: Duration,
    /// In which terminal.
    pub terminal: usize,
    pieces: Vec<(Look, String)>,
}

impl Line {
    /// The lines that a text is in a terminal that is so wide. It may hold the sequences that
    /// colour it.
    pub fn all(at: Duration, terminal: usize, text: &str, columns: usize) -> Vec<Self> {
        let letters = pieces(text.trim_end()).into_iter();
        let letters = letters.flat_map(|(look, text)| {
            let letters = text.chars().filter(|letter| !letter.is_control());
            letters.map(|letter| (look, letter)).collect::<Vec<_>>()
        });
        let letters: Vec<(Look, char)> = letters.collect();
        let line = |letters: &[(Look, char)]| Self {
            at,
            terminal,
            pieces: letters
                .chunk_by(|(one, _), (other, _)| one == other)
                .map(|alike| (alike[0].0, alike.iter().map(|(_, letter)| letter).collect()))
                .collect(),
        };
        match letters.is_empty() {
            true => vec![line(&[])],
            false => letters.chunks(columns).map(line).collect(),
        }
    }

    /// What stands there.
    pub fn text(&self) -> String {
        let text: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        text.trim_end().to_owned()
    }

    fn spans(&self) -> String {
        let span = |(look, text): &(Look, String)| match look.classes() {
            classes if classes.is_empty() => escaped(text),
            classes => format!("<tspan class=\"{classes}\">{}</tspan>", escaped(text)),
        };
        self.pieces.iter().map(span).collect()
    }
}

/// All of it, without colours: one block for each terminal.
pub fn texts(lines: &[Line], terminals: usize) -> Vec<String> {
    let text = |terminal| {
        let mine = lines.iter().filter(|line| line.terminal == terminal);
        mine.map(|line| line.text() + "\n").collect()
    };
    (0..terminals).map(text).collect()
}

/// The picture; each terminal has a title.
pub fn picture(lines: &[Line], titles: &[&str], columns: usize) -> String {
    let mut below = 0;
    let mut body = String::new();
    let times = times(lines);
    for (terminal, title) in titles.iter().enumerate() {
        let mine = lines
            .iter()
            .zip(&times)
            .filter(|(line, _)| line.terminal == terminal);
        let mine: Vec<_> = mine.collect();
        let height = (mine.len() + 1) * HEIGHT + MARGIN;
        let _ = writeln!(
            body,
            "<rect class=\"box\" x=\"1\" y=\"{}\" width=\"{}\" height=\"{height}\" rx=\"6\"/>\n\
             <text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
            below + 1,
            width(columns) - 2,
            below + HEIGHT - 2,
            escaped(title),
        );
        for (row, (line, time)) in mine.into_iter().enumerate() {
            let _ = writeln!(
                body,
                "<text class=\"line\" style=\"animation-delay:{:.2}s\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
                time.as_secs_f32(),
                below + (row + 2) * HEIGHT,
                line.spans(),
            );
        }
        below += height + MARGIN;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n\
         <style>{STYLE}</style>\n{body}</svg>\n",
        width(columns),
        below - MARGIN + 2,
    )
}

const STYLE: &str = "
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;white-space:pre;fill:#d8dee9}
.box{fill:#1c212b;stroke:#3b4252}.title{fill:#7b869c}
.b{font-weight:bold}.c1{fill:#f2777a}.c2{fill:#8fd17f}.c3{fill:#f0c674}.c4{fill:#81a2ff}.c5{fill:#d79bf0}.c6{fill:#6fd0d6}
.line{animation:come .05s linear backwards}@keyframes come{from{opacity:0}to{opacity:1}}
@media(prefers-reduced-motion){.line{animation:none}}
";

fn width(columns: usize) -> usize {
    columns * WIDTH / 10 + 2 * MARGIN
}

/// When each line is shown.
fn times(lines: &[Line]) -> Vec<Duration> {
    let mut last = Duration::ZERO;
    let mut shown = Duration::ZERO;
    let time = |line: &Line| {
        shown += line.at.saturating_sub(last).min(PAUSE);
        last = line.at;
        shown
    };
    lines.iter().map(time).collect()
}

/// How a letter looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Look {
    bold: bool,
    colour: Option<u8>,
}

impl Look {
    /// What `ESC [ … m` makes of it. Other colours than the usual ones aren't told apart.
    fn set(&mut self, parameters: &str) {
        for parameter in parameters.split(';') {
            match parameter.parse().unwrap_or(0) {
                0 => *self = Self::default(),
                1 => self.bold = true,
                22 => self.bold = false,
                colour @ (31..=36 | 91..=96) => self.colour = Some(colour % 10),
                39 => self.colour = None,
                _ => {}
            }
        }
    }

    fn classes(self) -> String {
        let colour = self.colour.map(|colour| format!("c{colour}"));
        let bold = self.bold.then(|| "b".to_owned());
        let all: Vec<String> = bold.into_iter().chain(colour).collect();
        all.join(" ")
    }
}

/// The pieces of a line that look alike. Sequences that don't colour anything are left out.
fn pieces(text: &str) -> Vec<(Look, String)> {
    let mut look = Look::default();
    let mut parts = text.split("\x1b[");
    let mut all = vec![(look, parts.next().unwrap_or_default().to_owned())];
    for part in parts {
        let end = part.find(|letter: char| letter.is_ascii_alphabetic());
        let (sequence, rest) = part.split_at(end.map_or(part.len(), |end| end + 1));
        if let Some(parameters) = sequence.strip_suffix('m') {
            look.set(parameters);
        }
        all.push((look, rest.to_owned()));
    }
    all.retain(|(_, text)| !text.is_empty());
    all
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(at: u64, text: &str) -> Vec<Line> {
        Line::all(Duration::from_millis(at), 0, text, 10)
    }

    #[test]
    fn colours_are_spans_and_no_text() {
        let lines = lines(0, "\x1b[1m\x1b[32m   a<b\x1b[0m \x1b[?2004hc \r");
        assert_eq!(texts(&lines, 1), ["   a<b c\n"]);
        let picture = picture(&lines, &["one"], 10);
        let expected = "<tspan class=\"b c2\">   a&lt;b</tspan> c</text>";
        assert!(picture.contains(expected), "{picture}");
    }

    #[test]
    fn a_long_line_goes_on_in_the_next() {
        let lines = lines(0, "\x1b[31m123456789\x1b[0mab");
        assert_eq!(texts(&lines, 1), ["123456789a\nb\n"]);
        assert_eq!(lines[1].spans(), "b");
        assert_eq!(texts(&Line::all(Duration::ZERO, 0, "\r", 10), 1), ["\n"]);
    }

    #[test]
    fn long_pauses_are_cut() {
        let all = [lines(100, ""), lines(9000, ""), lines(9500, "")].concat();
        let times: Vec<u128> = times(&all).iter().map(Duration::as_millis).collect();
        assert_eq!(times, [100, 1600, 2100]);
    }
}
