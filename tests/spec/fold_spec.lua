-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local clean = require "lib.sessions.clean"
local fold = require "lib.sessions.fold"

local function event(seq, type, data)
  return { seq = seq, type = type, data = data }
end

local function message()
  return { _id = "m", parts = {}, status = "partial", event_seq = 0 }
end

local function fold_all(target, f, events)
  for _, e in ipairs(events) do
    f(target, e)
  end
  return target
end

local AT = "2026-11-24T08:15:30.125Z"

local RUN = {
  event(1, "run_started", { message_id = "u1", run_id = "r1", ts = AT }),
  event(2, "message_delta", { message_id = "a1", text = "I will " }),
  event(
    3,
    "tool_call",
    { message_id = "a1", tool_call_id = "t1", name = "shell", title = "ls", input = { command = "ls" } }
  ),
  event(4, "permission_request", {
    permission_id = "p1",
    tool_call_id = "t1",
    name = "shell",
    title = "ls",
    input = { command = "ls" },
    options = { "allow_once" },
    cwd = "/workspace",
    expires_at = AT,
  }),
}

return {
  ["joins deltas of one kind into one part"] = function(t)
    local m = fold_all(message(), fold.message, {
      event(1, "thought_delta", { text = "hm" }),
      event(2, "message_delta", { text = "Hel" }),
      event(3, "message_delta", { text = "lo" }),
    })
    t.eq(m.parts, { { type = "thought", text = "hm" }, { type = "text", text = "Hello" } })
    t.eq(m.event_seq, 3)
  end,

  ["does nothing for an event that was folded before"] = function(t)
    local m = message()
    local e = event(2, "message_delta", { text = "once" })
    t.ok(fold.message(m, e))
    t.ok(not fold.message(m, e))
    t.eq(m.parts[1].text, "once")
    local s = { event_seq = 5, status = "idle" }
    t.ok(not fold.session(s, event(5, "run_started", { message_id = "x" })))
    t.eq(s.status, "idle")
  end,

  ["keeps a tool call with its input as JSON text, its output and its end"] = function(t)
    local m = fold_all(message(), fold.message, {
      RUN[3],
      event(5, "tool_update", { tool_call_id = "t1", status = "in_progress", output = "a" }),
      event(6, "tool_update", { tool_call_id = "t1", status = "completed", output = "a\nb", ended_at = AT }),
    })
    local part = m.parts[1]
    t.eq(json.decode(part.input), { command = "ls" })
    t.eq({ part.status, part.output, tostring(part.ended_at) }, { "completed", "a\nb", AT })
  end,

  ["a complete message replaces what deltas made, but not what the host knows of a decision"] = function(t)
    local m = fold_all(message(), fold.message, {
      RUN[2],
      RUN[3],
      event(
        5,
        "permission_resolved",
        { tool_call_id = "t1", decision = "allow_once", by = "user", who = "ada", ts = AT }
      ),
    })
    fold.message(
      m,
      event(6, "message", {
        message = {
          status = "complete",
          parts = {
            { type = "text", text = "I did it" },
            {
              type = "tool",
              tool_call_id = "t1",
              name = "shell",
              status = "completed",
              permission = { decision = "x", by = "y" },
            },
          },
        },
      })
    )
    t.eq(m.status, "complete")
    t.eq(m.parts[1].text, "I did it")
    t.eq({ m.parts[2].permission.decision, m.parts[2].permission.who }, { "allow_once", "ada" })
  end,

  ["a run takes its session through running, waiting and idle"] = function(t)
    local s = fold_all({ event_seq = 0, status = "idle" }, fold.session, RUN)
    t.eq({ s.status, s.run.run_id, s.run.message_id, #s.pending_permissions }, { "waiting_permission", "r1", "u1", 1 })
    fold.session(s, event(5, "permission_resolved", { permission_id = "p1", decision = "allow_once", by = "user" }))
    t.eq({ s.status, #s.pending_permissions, s.decided[1].decision }, { "running", 0, "allow_once" })
    fold.session(s, event(6, "run_finished", { run_id = "r1", status = "completed" }))
    t.eq({ s.status, s.run, s.last_run.message_id, s.last_run.status }, { "idle", nil, "u1", "completed" })
  end,

  ["the error of a run stands with its end"] = function(t)
    local s = fold_all({ event_seq = 0 }, fold.session, {
      RUN[1],
      event(2, "error", { code = "provider_auth", message = "no", retryable = false }),
      event(3, "run_finished", { status = "failed" }),
    })
    t.eq(s.last_run.error, { code = "provider_auth", message = "no", retryable = false })
  end,

  ["notices say what the agent remembers"] = function(t)
    local s = { event_seq = 0, memory = "live" }
    fold.session(
      s,
      event(
        1,
        "message",
        { message = { id = "n", role = "notice", parts = { { type = "notice", kind = "memory_lost" } } } }
      )
    )
    t.eq(s.memory, "lost")
  end,

  ["unknown events change nothing but the number"] = function(t)
    local s = { event_seq = 0, status = "idle" }
    t.ok(fold.session(s, event(1, "novelty", { status = "running" })))
    t.eq({ s.event_seq, s.status }, { 1, "idle" })
    t.ok(not fold.message(message(), event(1, "novelty", {})))
  end,

  ["what a sandbox sends is bounded and of the right type"] = function(t)
    local m = fold_all(message(), fold.message, {
      event(1, "message_delta", { text = ("x"):rep(clean.TEXT + 10) }),
      event(2, "message_delta", { text = { 1 } }),
      event(
        3,
        "tool_call",
        { tool_call_id = 5, name = ("n"):rep(999), input = "text", status = "odd", started_at = 7 }
      ),
    })
    t.eq(#m.parts[1].text, clean.TEXT)
    t.eq(
      { #m.parts[2].name, m.parts[2].input, m.parts[2].status, m.parts[2].started_at },
      { 200, "{}", "pending", nil }
    )
    t.eq(clean.cut("aé", 2), "a")
    t.eq(clean.id "../x y", nil)
  end,

  ["the last text gives the line for lists"] = function(t)
    t.eq(fold.snippet { parts = { { type = "text", text = "\n one\ntwo" }, { type = "tool" } } }, "one")
    t.eq(fold.snippet { parts = { { type = "tool" } } }, nil)
  end,
}
