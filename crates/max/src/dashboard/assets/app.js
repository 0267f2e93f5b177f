// Keeps the page fresh: when something happened, the page is asked for again and its live part replaced. Without
// script the page is the same, only as old as its last load. What a reader is typing in is never replaced.
"use strict";
(() => {
  const news = document.getElementById("news");
  const pause = document.getElementById("pause");
  if (!document.querySelector("[data-live]") || !window.EventSource) return;
  let paused = false;
  let waiting = false;

  const busy = (live) => {
    const typed = [...live.querySelectorAll("input:not([type=hidden])")].some((i) => i.value !== i.defaultValue);
    return typed || live.contains(document.activeElement);
  };

  const refresh = async () => {
    waiting = false;
    const live = document.querySelector("[data-live]");
    if (paused || document.hidden) return;
    if (busy(live)) {
      news.textContent = "There is news; it appears when you have finished here.";
      later(3000);
      return;
    }
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (!fresh) return;
    live.replaceWith(fresh);
    news.textContent = "Updated " + new Date().toLocaleTimeString();
  };

  const later = (after) => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => refresh().catch(() => {}), after);
  };

  const facts = ["LeadIngested", "LeadImported", "StageEntered", "TaskClaimed", "AttemptFailed", "WorkSubmitted",
    "ApprovalRequested", "ApprovalDecided", "ApprovalVoided", "ClientAwaited", "NeedMissed", "MessageReceived",
    "MessageQueued", "MessageSent", "MessageHeld", "MessageFailed", "DocumentSigned", "Escalated",
    "EscalationReviewed", "EscalationResolved", "TakenOver", "HandedBack", "Closed", "Reopened"];
  const stream = new EventSource("/api/events");
  for (const fact of facts) stream.addEventListener(fact, () => later(1000));
  stream.onerror = () => { news.textContent = "The connection is gone; trying again."; };
  stream.onopen = () => { news.textContent = ""; };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume updates" : "Pause updates";
    if (!paused) later(0);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) later(0); });
})();
