// Replies while they are written. One loop for each run asks the server for what is new and writes it into the boxes of
// its slots, apart from Streamlit's own runs, of which each draws the whole page anew.
const FAILURES_ALLOWED = 5;
const runs = (window.llmcompareRuns ??= new Map());

function begun(id) {
  const run = { boxes: new Map(), answers: [], failures: 0, timer: null, ended: () => {} };
  runs.set(id, run);
  const look = async () => {
    let again = 1;
    try {
      const known = run.answers.map(one => one.to).join(",");
      const answer = await fetch(`./live/${encodeURIComponent(id)}?known=${known}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      found.slots.forEach((piece, slot) => take(run, slot, piece));
      again = found.again_in_s;
      run.failures = 0;
      if (found.ended) { run.ended(); return; }
    } catch (problem) {
      // What Streamlit itself brings once a second goes on.
      if (++run.failures >= FAILURES_ALLOWED) return;
    }
    if (runs.get(id) === run) run.timer = setTimeout(look, again * 1000);
  };
  look();
  return run;
}

function take(run, slot, piece) {
  const old = (run.answers[slot] ??= { text: "", to: 0, thinks: piece.thinks });
  const isAnew = old.thinks !== piece.thinks || piece.from !== old.to;
  if (isAnew && piece.from !== 0) { run.answers[slot] = { text: "", to: 0, thinks: piece.thinks }; return; }
  run.answers[slot] = { text: (isAnew ? "" : old.text) + piece.text, to: piece.to, thinks: piece.thinks };
  const box = run.boxes.get(slot);
  if (box && (piece.text || isAnew)) write(box, run.answers[slot].text);
}

function write(box, text) {
  const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 8;
  const node = box.firstChild ?? box.appendChild(document.createTextNode(""));
  // As text, never as HTML: whatever a model writes stays what it wrote.
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length)); else node.data = text;
  if (follows) box.scrollTop = box.scrollHeight;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector("pre");
  const run = runs.get(data.run) ?? begun(data.run);
  run.boxes.set(data.slot, box);
  run.ended = () => setTriggerValue("ended", true);
  const shown = run.answers[data.slot]?.text ?? "";
  write(box, data.text.length > shown.length ? data.text : shown);
  return () => {
    if (run.boxes.get(data.slot) === box) run.boxes.delete(data.slot);
    // Drawn anew, a box goes and comes.
    setTimeout(() => {
      if (run.boxes.size === 0 && runs.get(data.run) === run) { clearTimeout(run.timer); runs.delete(data.run); }
    }, 2000);
  };
}
