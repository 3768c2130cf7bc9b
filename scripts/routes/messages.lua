-- Talking to the agent: send a message in one of three ways, read the history.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local sys = require "gander.sys"
local app = require "lib.app"
local S = require "lib.schema"
local db = require "lib.store"
local messages = require "lib.sessions.messages"
local outcome = require "lib.sessions.outcome"
local projects = require "lib.projects"
local redact = require "lib.redact.known"
local sending = require "lib.sessions.sending"
local sessions = require "lib.sessions"

local M = {}

local CONTENT_MAX = 200000
local START_MS = 2000 -- with wait_s=0: for the run's id, which the agent gives
local SETTLED = { completed = true, failed = true, cancelled = true, waiting_permission = true }

local function wants_stream(req)
  return (req.headers.accept or ""):find("text/event-stream", 1, true) ~= nil
end

-- The events of the run, from its first one.
local function stream(session, message_id)
  local topic = sessions.topic(session._id)
  local run = session.run and session.run.message_id == message_id and session.run
    or session.last_run and session.last_run.message_id == message_id and session.last_run
  local asked = not run and messages.get(message_id)
  local first = run and run.first_seq or asked and asked.event_seq or session.event_seq + 1
  return app.stream {
    topics = { topic },
    after = bus.cursor({ topic }, { [topic] = math.max(first - 1, 0) }),
    replay = "routes/events#replay",
    until_event = "run_finished",
    headers = { ["X-Session-Id"] = session._id, ["X-Message-Id"] = message_id },
  }
end

-- Wait for what the caller wants to know, or answer with what is known when the time is over.
local function wait(data)
  local topic = sessions.topic(data.session_id)
  local cursor = bus.cursor { topic } -- before the state is read: nothing in between is missed
  local session = sessions.get(data.session_id)
  if not session then return app.not_found() end
  local now = outcome.of(session, data.message_id)
  local left = data.until_ms - sys.now()
  local enough = SETTLED[now.status] or (data.at_once and now.run_id)
  if enough or left <= 0 then return 200, now end
  local names = { "run_finished", "permission_request", "session_deleted", "reset" }
  if data.at_once then names[#names + 1] = "run_started" end
  return app.await {
    topic = topic,
    ["until"] = names,
    after = cursor,
    timeout_ms = left,
    next = "routes/messages#waited",
    data = data,
  }
end

function M.waited(data)
  return wait(data)
end

local function respond(req, session, message_id)
  if wants_stream(req) then return stream(session, message_id) end
  local at_once = req.query.wait_s == 0
  return wait {
    session_id = session._id,
    message_id = message_id,
    at_once = at_once,
    until_ms = sys.now() + (at_once and START_MS or 1000 * req.query.wait_s),
  }
end

-- The message was sent before: join its run.
local function attach(req, project, known)
  local body, text = req.body, known.parts[1] and known.parts[1].text
  local session = known.project_id == project._id and sessions.get(known.session_id)
  if not session or known.role ~= "user" or (body.session_id and body.session_id ~= session._id) then
    return app.fail("conflict", "This message_id belongs to another message", { { reason = "message_id_used" } })
  elseif text ~= body.content and text ~= redact.of(project):text(body.content) then
    return app.fail("conflict", "This message_id was sent with another content", { { reason = "message_id_used" } })
  end
  return respond(req, session, known._id)
end

local TO_DO = {
  inactive = "It is not active: activate it, then send the message again",
  creating = "It is still being started: wait until it is active, then send the message again",
  stopping = "It is being stopped: activate it again, then send the message again",
  error = "Its last activation failed: activate it again, then send the message again",
}

-- Something goes on in the session: this message's own run is joined.
local function busy(req, session, message_id)
  local run = session.run or {}
  if run.message_id == message_id then return respond(req, session, message_id) end
  return app.fail(
    "conflict",
    "The last message of this session is still being answered: wait for it or cancel it",
    { { reason = "session_busy", run_id = run.run_id, message_id = run.message_id } }
  )
end

-- Without a session_id a session is made whose id follows from the message's: two requests with one message_id at the
-- same time meet in the same session.
local function session_for(project, message_id)
  local id = messages.derived_id(project._id .. ":" .. message_id)
  local session, message, code = sessions.create(project, { id = id })
  if not session and code == "conflict" then session = sessions.load(project._id, id) end
  return session or error("the session cannot be stored: " .. tostring(message))
end

local function send(req)
  local project = projects.load(req.params.user, req.params.project)
  if not project then return app.not_found() end
  local body = req.body
  local message_id = body.message_id and body.message_id:lower() or sys.uuid()
  local known = body.message_id and messages.get(message_id)
  if known then return attach(req, project, known) end
  local session = body.session_id and sessions.load(project._id, body.session_id)
  if body.session_id and not session then
    return app.not_found()
  elseif project.state ~= "active" then
    return app.fail(
      "conflict",
      "The project cannot answer now. " .. TO_DO[project.state],
      { { reason = "not_active", state = project.state } }
    )
  end
  session = session or session_for(project, message_id)
  if sessions.RUNNING[session.status] then return busy(req, session, message_id) end
  local taken, why, code = sending.take(project, session, message_id, body.content)
  if taken then
    projects.touch(project._id, "chat")
    return respond(req, taken, message_id)
  elseif why == "running" then
    return busy(req, sessions.get(session._id) or session, message_id)
  end
  return app.fail(code or "not_found", why or "The session was deleted meanwhile")
end

local function history(req)
  local _, session = sessions.find(req.params)
  if not session then return app.not_found() end
  local query, range = req.query, { ["$gt"] = req.query.after }
  range["$lt"] = query.before
  local desc = query.order == "desc"
  local found = assert(db.session_messages:find({ session_id = session._id, seq = range }, {
    sort = { desc and "-seq" or "seq" },
    limit = query.limit + 1,
  }))
  local more = #found > query.limit
  found[query.limit + 1] = nil
  -- The session was read first: what it counts is in these messages, and each says how far it goes itself.
  local items, seen = {}, session.event_seq
  for i, message in ipairs(found) do
    items[i] = messages.view(message)
    seen = math.max(seen, message.event_seq)
  end
  local topic = sessions.topic(session._id)
  return 200,
    app.page(items, more and tostring(found[#found].seq) or nil),
    {
      ["X-Gander-Event-Id"] = bus.cursor({ topic }, { [topic] = seen }),
    }
end

M["POST /api/users/:user/projects/:project/messages"] = app.route {
  doc = "Send a message to the agent: as a stream, waiting for the end, or (wait_s=0) at once.",
  query = S.object { wait_s = S.integer { min = 0, max = 600, default = 60 } },
  body = S.object {
    session_id = S.optional(S.string { format = "uuid" }),
    message_id = S.optional(S.string { format = "uuid" }),
    content = S.string { min = 1, max = CONTENT_MAX, pattern = "%S", hint = "must not be blank" },
  },
  answers = { [200] = { "MessageAnswer", "events" } },
  handler = send,
}

M["GET /api/users/:user/projects/:project/sessions/:session/messages"] = app.route {
  doc = "The messages of a session, also when its project is inactive. `next` is the `after` (or, newest first, the `before`) of the next page.",
  query = S.object {
    limit = S.integer { min = 1, max = 200, default = 50 },
    after = S.integer { min = 0, default = 0 },
    before = S.optional(S.integer { min = 1 }),
    order = S.string { enum = { "asc", "desc" }, default = "asc" },
  },
  answers = { [200] = "list of Message" },
  handler = history,
}

return M
