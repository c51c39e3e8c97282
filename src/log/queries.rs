//! What a program asks its terminal, so that a terminal which is shown old lines does not answer once more: the program, which has its
//! answer, would take another for keys (<https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>).

/// Asks for the terminal's name.
const ENQUIRY: u8 = 0x05;

const ESCAPE: u8 = 0x1b;

/// These bytes without the questions in them. A sequence that has only begun stays: its end is still to come, and so is its answer.
pub(super) fn without_queries(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(ESCAPE, ENQUIRY, rest) {
        let (before, from) = rest.split_at(at);
        kept.extend_from_slice(before);
        let (length, asks) = sequence(from);
        if !asks {
            kept.extend_from_slice(&from[..length]);
        }
        rest = &from[length..];
    }
    kept.extend_from_slice(rest);
    kept
}

/// The length of what begins here, and whether it is a question.
fn sequence(bytes: &[u8]) -> (usize, bool) {
    match bytes {
        [ENQUIRY, ..] => (1, true),
        // DECID.
        [_, b'Z', ..] => (2, true),
        [_, b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| !matches!(byte, b' '..=b'?')) else { return (bytes.len(), false) };
            match rest[end] {
                // Something else begins in its middle.
                ESCAPE => (2 + end, false),
                kind => (3 + end, control_asks(&rest[..end], kind)),
            }
        }
        [_, kind @ (b']' | b'P' | b'_'), rest @ ..] => {
            let ends = |byte: &u8| matches!(*byte, ESCAPE | 0x18 | 0x1a) || (*byte == 0x07 && *kind == b']');
            let Some(end) = rest.iter().position(ends) else { return (2, false) };
            let length = match &rest[end..] {
                [ESCAPE, b'\\', ..] => 2,
                // Given up, by what is yet to come or by something else.
                [ESCAPE | 0x18 | 0x1a, ..] => return (2, false),
                _ => 1,
            };
            (2 + end + length, string_asks(*kind, &rest[..end]))
        }
        _ => (1, false),
    }
}

/// Of a control sequence: its parameters, a letter before and another sign after them, and what ends it.
fn control_asks(parameters: &[u8], end: u8) -> bool {
    let first = parameters.first().copied().filter(|byte| matches!(byte, b'<'..=b'?'));
    let last = parameters.last().copied().filter(|byte| matches!(byte, b' '..=b'/'));
    match (first, last, end) {
        // The cursor's place and other states; who it is; its version; its parameters; flags of keyboards and of keys; graphics.
        (None | Some(b'?'), None, b'n')
        | (None | Some(b'>' | b'='), None, b'c')
        | (Some(b'>'), None, b'q')
        | (None, None, b'x')
        | (Some(b'?'), None, b'u' | b'm' | b'S')
        // Modes; presentation and terminal states; checksums.
        | (None | Some(b'?'), Some(b'$'), b'p')
        | (None, Some(b'$'), b'u' | b'w')
        | (None, Some(b'&'), b'u')
        | (None, Some(b'*'), b'y') => true,
        // Sizes, places and titles of windows.
        (None, None, b't') => {
            let number = parameters.split(|byte| *byte == b';').next().unwrap_or_default();
            matches!(number, b"11" | b"13" | b"14" | b"15" | b"16" | b"18" | b"19" | b"20" | b"21")
        }
        _ => false,
    }
}

/// Of a string for the terminal.
fn string_asks(kind: u8, content: &[u8]) -> bool {
    let mut parts = content.split(|byte| *byte == b';');
    match kind {
        // Colours, the clipboard.
        b']' => parts.any(|part| part == b"?" || part.ends_with(b"=?")),
        // Settings (DECRQSS) and capabilities (XTGETTCAP), whatever numbers stand before.
        b'P' => {
            let at = content.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';')).unwrap_or(content.len());
            matches!(&content[at..], [b'$' | b'+', b'q' | b'Q', ..])
        }
        // Pictures by kitty's protocol are answered unless that is turned off.
        _ => {
            let control = parts.next().and_then(|control| control.strip_prefix(b"G"));
            control.is_some_and(|control| !control.split(|byte| *byte == b',').any(|part| part == b"q=2"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_go_and_all_else_stays() {
        let asked = [
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[?996n",
            "\x1b[c",
            "\x1b[0c",
            "\x1b[>c",
            "\x1b[>0c",
            "\x1b[=c",
            "\x1b[>0q",
            "\x1b[?u",
            "\x1b[?2026$p",
            "\x1b[18t",
            "\x1b[21;2t",
            "\x1b[x",
            "\x1bZ",
            "\x05",
            "\x1b]10;?\x07",
            "\x1b]11;?\x1b\\",
            "\x1b]4;1;?\x07",
            "\x1b]52;c;?\x07",
            "\x1b]21;foreground=?\x1b\\",
            "\x1bP$qm\x1b\\",
            "\x1bP+q544e\x1b\\",
            "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
        ];
        for text in asked {
            assert_eq!(without_queries(format!("a{text}b").as_bytes()), b"ab", "{text:?}");
        }
        let kept = [
            "plain ä\r\n",
            "\x1b[1;31mred\x1b[0m",
            "\x1b[?25h\x1b[?1c",
            "\x1b[22;0;0t",
            "\x1b[>1u\x1b[<u\x1b[u\x1b[1u",
            "\x1b[>4;2m",
            "\x1b[2 q\x1b[!p",
            "\x1b]0;what?\x07",
            "\x1b]8;;http://host/?a=b\x1b\\link\x1b]8;;\x1b\\",
            "\x1bPq#0;2;0;0;0\r\n#0~~\x1b\\",
            "\x1b_Gq=2,a=T;AAAA\x1b\\",
            "\x1b[\x1b[m",
            "\x1b(B\x1b=",
        ];
        for text in kept {
            assert_eq!(without_queries(text.as_bytes()), text.as_bytes(), "{text:?}");
        }
        assert_eq!(without_queries(b"\x1b[\x1b[6nx"), b"\x1b[x", "the first was given up");
        assert_eq!(without_queries(b"\x1b]10;?\x1b[cx"), b"\x1b]10;?x", "so was this one");
    }

    #[test]
    fn what_has_only_begun_stays() {
        for text in ["\x1b", "\x1b[", "\x1b[6", "\x1b[?2026$", "\x1b]", "\x1b]10;?", "\x1b]10;?\x1b", "\x1bP$qm"] {
            assert_eq!(without_queries(format!("a\x1b[6n{text}").as_bytes()), format!("a{text}").as_bytes(), "{text:?}");
        }
    }
}
