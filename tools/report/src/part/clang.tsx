// SPDX-License-Identifier: MIT
// C and C++ source with its words told apart, line by line: enough for an
// excerpt, no parser. What cannot be known from one line is guessed: a line that
// begins with a star is taken for the inside of a comment.
import type { JSX } from "preact";

const words = "alignas|alignof|auto|bool|break|case|catch|char|class|const|constexpr|continue|decltype|default|delete|do|double|else|enum|explicit|extern|false|float|for|friend|goto|if|inline|int|long|namespace|new|noexcept|nullptr|NULL|operator|private|protected|public|register|restrict|return|short|signed|size_t|sizeof|static|struct|switch|template|this|throw|true|try|typedef|typename|union|unsigned|using|virtual|void|volatile|while";
const pattern = new RegExp(`(//.*|/\\*.*?(?:\\*/|$)|^\\s*\\*(?!\\w|\\().*)|("(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?)|(\\b(?:${words})\\b|^\\s*#\\s*\\w+)|(\\b\\d[\\w.']*)`, "g");
const kinds = ["", "comment", "text", "word", "number"];

export function ClangLine({ text }: { text: string }): JSX.Element {
  const out: (string | JSX.Element)[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) out.push(text.slice(from, match.index));
    out.push(<span key={match.index} class={`c-${kinds[match.findIndex((part, i) => i > 0 && part !== undefined)]}`}>{match[0]}</span>);
    from = match.index + match[0].length;
  }
  out.push(text.slice(from));
  return <>{out}</>;
}
