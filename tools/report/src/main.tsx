// SPDX-License-Identifier: MIT
// Reads the data out of the page and shows it.
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/frame.css";
import "./style/part.css";
import "./style/view.css";
import { App } from "./app";
import { base64Bytes, decode, gunzip } from "./data/container";
import { Report } from "./data/report";
import { startKeys } from "./state/keys";
import { listenRoute } from "./state/route";
import { startTheme } from "./state/theme";

async function read(): Promise<Report> {
  const holder = document.getElementById("memscope-data");
  const text = holder?.textContent ?? "";
  if (!text.trim()) throw new Error("This page has no data in it. `memscope report FILE.memscope` makes one that has.");
  const report = new Report(decode(await gunzip(base64Bytes(text))));
  holder!.textContent = ""; // the text is megabytes, and is not needed again
  return report;
}

startTheme();
const root = document.getElementById("app")!;
try {
  const report = await read();
  listenRoute();
  startKeys();
  root.textContent = "";
  render(<App report={report} />, root);
  performance.mark("memscope-interactive");
} catch (error) {
  root.textContent = "";
  const box = root.appendChild(document.createElement("div"));
  box.className = "failure";
  box.setAttribute("role", "alert");
  box.textContent = error instanceof Error ? error.message : String(error);
}
