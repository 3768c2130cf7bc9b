-- Events of a sandbox into stored messages and sessions; runs that the host ends.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"
local goose = require "lib.goose"
local ending = require "lib.sessions.ending"
local intake = require "lib.sessions.intake"
local messages = require "lib.sessions.messages"
local outcome = require "lib.sessions.outcome"
local replay = require "lib.sessions.replay"
local sending = require "lib.sessions.sending"
local sessions = require "lib.sessions"
local settings = require "lib.settings"

assert(db.projects:count {}) -- opens the store, whose handle outlives each test

local SECRET = "sk-very-secret-0123456789"

-- A project with a session in which the user asked something.
local function asked(content)
  local id = sys.uuid()
  local sealed, names = settings.put_env { TOKEN = SECRET }
  local project = assert(db.projects:insert {
    _id = id,
    user_id = "ada",
    name = id,
    name_key = id,
    state = "active",
    desired = "active",
    created_at = date(0),
    provider = "local",
    settings = json.object {},
    _rev = 1,
    secrets = { env = sealed, env_names = names },
    sandbox = { id = "gander-x-" .. id .. "-1", provider = "local" },
  })
  local session = assert(sessions.create(project, {}))
  local message_id = sys.uuid()
  session = assert(sending.take(project, session, message_id, content or "hello"))
  return session, message_id, project
end

local function feed(session, events, from)
  local items = {}
  for i, event in ipairs(events) do
    local data = event[2]
    data.seq = (from or 0) + i
    items[i] = { id = tostring(data.seq), event = event[1], data = json.encode(json.object(data)) }
  end
  return intake.batch(session._id, items)
end

local function run_events(message_id, answer)
  return {
    { "run_started", { message_id = message_id, run_id = "run-1", ts = "2026-11-24T08:15:30.125Z" } },
    {
      "message",
      {
        message = {
          id = message_id,
          role = "user",
          parts = { { type = "text", text = "forged" } },
          status = "complete",
        },
      },
    },
    { "message_delta", { message_id = answer, text = "Hel" } },
    { "message_delta", { message_id = answer, text = "lo" } },
    {
      "message",
      {
        message = {
          id = answer,
          role = "assistant",
          status = "complete",
          parts = { { type = "text", text = "Hello" } },
        },
      },
    },
    { "run_finished", { run_id = "run-1", status = "completed" } },
  }
end

local function stored(session)
  local list = messages.newest(session._id, nil, 100)
  local out = {}
  for i = #list, 1, -1 do
    local part = list[i].parts[1]
    out[#out + 1] = { list[i].seq, list[i].role, part and (part.text or part.name) or "", list[i].status }
  end
  return out
end

return {
  ["a message taken on is stored before anything else and busy after"] = function(t)
    local session, message_id, project = asked("hello " .. SECRET)
    t.eq(
      { session.status, session.run.message_id, sending.content(session.outbox) },
      { "running", message_id, "hello " .. SECRET }
    )
    t.eq(stored(session), { { 1, "user", "hello ***", "complete" } })
    t.ok(not json.encode(sessions.get(session._id)):find(SECRET, 1, true), "the secret lies open in the store")
    local taken, why = sending.take(project, session, sys.uuid(), "again")
    t.eq({ taken, why }, { nil, "running" })
    t.eq(db.jobs:count { _id = "message:" .. session._id }, 1)
  end,

  ["a whole run becomes two messages, however its events are batched"] = function(t)
    for size = 1, 6 do
      local session, message_id = asked()
      local events = run_events(message_id, sys.uuid())
      for i = 1, #events, size do
        local part = table.move(events, i, math.min(i + size - 1, #events), 1, {})
        t.ok(feed(session, part, i - 1))
      end
      t.eq(stored(session), { { 1, "user", "hello", "complete" }, { 2, "assistant", "Hello", "complete" } })
      local after = sessions.get(session._id)
      t.eq({ after.status, after.event_seq, after.message_count, after.last_message }, { "idle", 6, 2, "Hello" })
    end
  end,

  ["events that come again change nothing"] = function(t)
    local session, message_id = asked()
    local events = run_events(message_id, sys.uuid())
    feed(session, { events[1], events[2], events[3] })
    feed(session, events)
    feed(session, events)
    t.eq(stored(session), { { 1, "user", "hello", "complete" }, { 2, "assistant", "Hello", "complete" } })
  end,

  ["partial text is there before the end, and a secret in it never"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "message_delta", { message_id = answer, text = "The key: " .. SECRET:sub(1, 12) } },
    })
    local held = messages.get(answer)
    t.eq({ held.parts[1].text, held.status }, { "The key: ", "partial" })
    t.ok(not json.encode(held):find(SECRET:sub(1, 12), 1, true), "the beginning of the secret lies open in the store")
    feed(session, { { "message_delta", { message_id = answer, text = SECRET:sub(13) .. ", done!" } } }, 2)
    t.eq(messages.get(answer).parts[1].text, "The key: ***, done!")
    feed(session, { { "message_delta", { message_id = answer, text = " sk-" } } }, 3)
    feed(
      session,
      { { "tool_call", { message_id = answer, tool_call_id = "t", name = "shell", input = { a = SECRET } } } },
      4
    )
    local parts = messages.get(answer).parts
    t.eq({ parts[1].text, json.decode(parts[2].input).a }, { "The key: ***, done! sk-", "***" })
  end,

  ["an end that was held back is in its delta when the same batch tells that nothing follows"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    local own, said = bus.publish, {}
    bus.publish = function(topic, event, data, id)
      if event == "message_delta" then said[#said + 1] = data.text end
      return own(topic, event, data, id)
    end
    local part = { type = "text", text = "it begins with " .. SECRET:sub(1, 2) }
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "message_delta", { message_id = answer, text = part.text } },
      { "message", { message = { id = answer, role = "assistant", status = "complete", parts = { part } } } },
    })
    bus.publish = own
    t.eq(table.concat(said), part.text)
    t.eq(messages.get(answer).parts[1].text, part.text)
  end,
  ["a sandbox cannot write into another session nor speak as a user"] = function(t)
    local other = asked()
    local foreign = messages.newest(other._id, nil, 1)[1]
    local session, message_id = asked()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "message", { message = { id = foreign._id, role = "user", parts = { { type = "text", text = "changed" } } } } },
      { "message_delta", { message_id = foreign._id, text = "changed" } },
      { "message", { message = { id = sys.uuid(), role = "user", parts = { { type = "text", text = "invented" } } } } },
    })
    t.eq(messages.get(foreign._id).parts[1].text, "hello")
    t.eq(stored(session), { { 1, "user", "hello", "complete" } })
  end,

  ["an answer to a permission question that nobody gave is the sandbox's"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "tool_call", { message_id = answer, tool_call_id = "t1", name = "shell", input = { command = "ls" } } },
      {
        "permission_request",
        { permission_id = "p1", tool_call_id = "t1", name = "shell", input = { command = "ls" } },
      },
    })
    t.eq(sessions.get(session._id).status, "waiting_permission")
    t.eq(sessions.view(sessions.get(session._id)).pending_permissions[1].input, { command = "ls" })
    feed(session, {
      { "permission_resolved", { permission_id = "p1", tool_call_id = "t1", decision = "allow_always", by = "user" } },
    }, 3)
    t.eq(messages.get(answer).parts[1].permission.by, "sandbox")
    local after = sessions.get(session._id)
    t.eq({ after.status, after.decided[1].by }, { "running", "sandbox" })
  end,

  ["an answer that the host sent names who gave it"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "tool_call", { message_id = answer, tool_call_id = "t1", name = "shell", input = {} } },
      { "permission_request", { permission_id = "p1", tool_call_id = "t1", name = "shell", input = {} } },
    })
    sessions.change(session._id, function(copy)
      copy.pending_permissions[1].answer = { decision = "allow_once", by = "grace" }
    end)
    feed(
      session,
      { { "permission_resolved", { permission_id = "p1", tool_call_id = "t1", decision = "allow_once", by = "user" } } },
      3
    )
    local permission = messages.get(answer).parts[1].permission
    t.eq({ permission.by, permission.who }, { "user", "grace" })
  end,

  ["an error of the agent stays in the history"] = function(t)
    local session, message_id = asked()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "error", { code = "provider_auth", message = "The key was refused.", retryable = false } },
      { "run_finished", { run_id = "r", status = "failed" } },
    })
    t.eq(stored(session), { { 1, "user", "hello", "complete" }, { 2, "notice", "The key was refused.", "complete" } })
    local now = outcome.of(sessions.get(session._id), message_id)
    t.eq({ now.status, now.run_id, now.error.code }, { "failed", "r", "provider_auth" })
  end,

  ["an interrupted run keeps its partial answer and says so, once"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "message_delta", { message_id = answer, text = "I was about to sk-" } },
    })
    t.ok(ending.interrupt(session._id, "The sandbox ended."))
    t.ok(not ending.interrupt(session._id, "The sandbox ended."))
    t.eq(stored(session), {
      { 1, "user", "hello", "complete" },
      { 2, "assistant", "I was about to sk-", "partial" },
      { 3, "notice", "The sandbox ended.", "complete" },
    })
    local after = sessions.get(session._id)
    t.eq({ after.status, after.event_seq, after.sandbox_id, after.outbox }, { "interrupted", 4 })
  end,

  ["replay tells what a reader lacks, in order, and nothing it has"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    feed(session, run_events(message_id, answer))
    local all = replay.events(session._id, 0)
    local names = {}
    for i, event in ipairs(all.events) do
      names[i] = event.event .. ":" .. event.id
    end
    t.eq(names, { "message:2", "message:5", "run_finished:6" })
    t.eq(#replay.events(session._id, 5).events, 1)
    t.eq(#replay.events(session._id, 6).events, 0)
    t.eq(replay.events(sys.uuid(), 0), nil)
  end,

  ["what the sandbox no longer holds is taken from its state"] = function(t)
    local session, message_id = asked()
    local answer = sys.uuid()
    feed(session, {
      { "run_started", { message_id = message_id, run_id = "r" } },
      { "message_delta", { message_id = answer, text = "One " } },
    })
    local real = goose.session
    goose.session = function()
      return {
        seq = 5000,
        status = "waiting_permission",
        run = { run_id = "r", message_id = message_id },
        pending_permissions = { { permission_id = "p", tool_call_id = "t", name = "shell", input = { a = SECRET } } },
        messages = {
          { id = message_id, role = "user", parts = { { type = "text", text = "forged" } } },
          {
            id = answer,
            role = "assistant",
            status = "partial",
            parts = { { type = "text", text = "One two " .. SECRET } },
          },
        },
      }
    end
    local ok, fault = pcall(feed, session, {
      { "reset", {} },
      { "message_delta", { message_id = answer, text = "known already" } },
    }, 4000)
    goose.session = real
    t.ok(ok, fault)
    feed(session, { { "message_delta", { message_id = answer, text = " three!" } } }, 5000)
    t.eq(stored(session), { { 1, "user", "hello", "complete" }, { 2, "assistant", "One two *** three!", "partial" } })
    local after = sessions.get(session._id)
    t.eq({ after.status, after.event_seq, #after.pending_permissions }, { "waiting_permission", 5001, 1 })
  end,

  ["a run that ended unseen is over for those who wait"] = function(t)
    local session, message_id = asked()
    feed(session, { { "run_started", { message_id = message_id, run_id = "r" } } })
    sessions.change(session._id, function(copy)
      copy.outbox = nil
    end)
    local answer =
      { id = sys.uuid(), role = "assistant", status = "complete", parts = { { type = "text", text = "Done" } } }
    local real = goose.session
    goose.session = function()
      return { seq = 900, status = "idle", run = json.null, pending_permissions = {}, messages = { answer } }
    end
    local ok, fault = pcall(feed, session, { { "reset", {} } }, 899)
    goose.session = real
    t.ok(ok, fault)
    local now = outcome.of(sessions.get(session._id), message_id)
    t.eq({ now.status, now.run_id, now.message.parts[1].text }, { "completed", "r", "Done" })
  end,

  ["the number of a message is given once"] = function(t)
    local session = asked()
    t.eq({ sessions.next_seq(session._id), sessions.next_seq(session._id) }, { 2, 3 })
    sessions.change(session._id, function(copy)
      copy.title = "x"
    end)
    t.eq(sessions.next_seq(session._id), 4)
  end,
}
