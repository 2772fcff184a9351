// SPDX-License-Identifier: MIT
// The keys, in a dialog.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons";

const keys: [string[], string][] = [
  [["/"], "search"],
  [["j", "k"], "next and previous row; arrows, Page, Home and End too"],
  [["Enter"], "open the row in the inspector"],
  [["Esc"], "close the inspector, then take the stretch of time off"],
  [["1", "8"], "the views, in the menu's order"],
  [["←", "→"], "on the chart: read values; with Shift: choose a stretch"],
  [["t"], "dark or light"],
  [["?"], "this list"],
];

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-label="Keys" onClose={onClose} onClick={(e) => e.target === dialog.current && onClose()}>
      <header><h2>Keys</h2><button class="icon-button" aria-label="Close" onClick={onClose}><Icon name="close" /></button></header>
      <dl class="keys">
        {keys.map(([names, what]) => <div key={what}><dt>{names.map((n) => <kbd key={n}>{n}</kbd>)}</dt><dd>{what}</dd></div>)}
      </dl>
      <p class="faint">The address names what you see: copy it to come back to this view, or to show it to somebody who has this file.</p>
    </dialog>
  );
}
