//! Quoting in errors what was refused, but not much of it.

use std::fmt;

/// Shows a text in quotation marks, escaped, and at most 24 bytes of it: for errors.
///
/// What was refused may be a secret that somebody put in the wrong place, and errors are written to logs. Names that people
/// mistype are shorter; a secret of 32 bytes is longer in any encoding.
///
/// ```
/// use swarmauri_keys::quoted;
///
/// assert_eq!(quoted("EdDsa").to_string(), r#""EdDsa""#);
/// assert_eq!(quoted("MC4CAQAwBQYDK2VwBCIEINTuctv5").to_string(), r#""MC4CAQAwBQYDK2VwBCIEINTu"…"#);
/// ```
pub fn quoted(text: &str) -> impl fmt::Display + '_ {
    Quoted(text)
}

struct Quoted<'a>(&'a str);

const LONGEST: usize = 24;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        match text.split_at_checked(text.floor_char_boundary(LONGEST)) {
            Some((start, rest)) if !rest.is_empty() => write!(f, "{start:?}…"),
            _ => write!(f, "{text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        let exact = "k".repeat(24);
        assert_eq!(quoted(&exact).to_string(), format!("{exact:?}"));
        assert_eq!(quoted(&format!("{exact}l")).to_string(), format!("{exact:?}…"));
        assert_eq!(quoted("").to_string(), r#""""#);
        assert_eq!(quoted(&"é\n".repeat(9)).to_string(), r#""é\né\né\né\né\né\né\né\n"…"#);
        assert_eq!(quoted(&"€".repeat(9)).to_string(), format!("{:?}…", "€".repeat(8)));
        assert_eq!(quoted(&format!("a{}", "€".repeat(8))).to_string(), format!("\"a{}\"…", "€".repeat(7)));
    }
}
