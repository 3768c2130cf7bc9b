-- A session towards a new sandbox: with its history, without it, and when the history is refused.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"
local goose = require "lib.goose"
local messages = require "lib.sessions.messages"
local outbound = require "lib.sessions.outbound"
local sessions = require "lib.sessions"

assert(db.projects:count {}) -- opens the store, whose handle outlives each test

local real = goose.ensure_session

-- A project in its second sandbox, with a session of the first one that ended at event 40.
local function world(said)
  local id = sys.uuid()
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
    sandbox = { id = "gander-x-" .. id .. "-2", provider = "local" },
  })
  local session = assert(sessions.create(project, { title = "A title", mode = "smart_approve" }))
  for i, text in ipairs(said) do
    assert(messages.insert(messages.new(session, {
      id = sys.uuid(),
      seq = sessions.next_seq(session._id),
      role = i % 2 == 1 and "user" or "assistant",
      parts = json.array { { type = "text", text = text } },
      event_seq = 10 * i,
    })))
  end
  session = assert(sessions.change(session._id, function(copy)
    copy.event_seq, copy.sandbox_id = 40, "gander-x-" .. id .. "-1"
  end))
  return project, session
end

-- Answer as `reply(body, n)` says, for the n-th call; the bodies sent.
local function ensure(project, session, reply)
  local sent = {}
  goose.ensure_session = function(_, body)
    local copy = json.decode(json.encode(json.object(body)))
    sent[#sent + 1] = copy
    return reply(copy, #sent)
  end
  local ok, after, message, code = pcall(outbound.ensure, project, session)
  goose.ensure_session = real
  assert(ok, after)
  return sent, after, message, code
end

return {
  ["gives a new sandbox the conversation, the mode and where the numbers go on"] = function(t)
    local project, session = world { "hi", "hello" }
    local sent, after = ensure(project, session, function()
      return { memory = "restored", mode = "smart_approve", engine = "echo", model = { name = "echo", demo = true } },
        201
    end)
    t.eq(#sent, 1)
    t.eq(
      { sent[1].id, sent[1].mode, sent[1].title, sent[1].first_seq },
      { session._id, "smart_approve", "A title", 41 }
    )
    t.eq({ sent[1].history[1].parts[1].text, sent[1].history[2].role }, { "hi", "assistant" })
    t.eq({ after.memory, after.sandbox_id, after.engine, after.unsynced }, { "restored", project.sandbox.id, "echo" })
  end,

  ["asks nothing of a sandbox that knows the session"] = function(t)
    local project, session = world { "hi" }
    session.sandbox_id = project.sandbox.id
    t.eq(#ensure(project, session, error), 0)
  end,

  ["a session without messages is simply live"] = function(t)
    local project, session = world {}
    local sent, after = ensure(project, session, function()
      return { memory = "live", mode = "smart_approve" }, 201
    end)
    t.eq({ sent[1].history, after.memory }, { nil, "live" })
  end,

  ["a history that is refused is lost, and the conversation says so at its place"] = function(t)
    local project, session = world { "hi", "hello" }
    local sent, after = ensure(project, session, function(body)
      if body.history then return nil, "history[0] is not good", "invalid" end
      return { memory = "live", mode = "smart_approve" }, 201
    end)
    t.eq({ #sent, sent[2].history, sent[2].first_seq }, { 2, nil, 42 })
    t.eq({ after.memory, after.event_seq, after.message_count }, { "lost", 41, 3 })
    local notice = messages.newest(session._id, nil, 1)[1]
    t.eq({ notice.role, notice.parts[1].kind, notice.event_seq, notice.seq }, { "notice", "memory_lost", 41, 3 })
  end,

  ["another mode than the session's is brought in order before it is spoken to"] = function(t)
    local project, session = world {}
    local _, after = ensure(project, session, function()
      return { memory = "live", mode = "auto" }, 200
    end)
    t.eq({ after.mode, after.unsynced }, { "smart_approve", true })
  end,

  ["a sandbox that does not answer leaves the session as it was"] = function(t)
    local project, session = world { "hi" }
    local _, after, message, code = ensure(project, session, function()
      return nil, "no answer", "timeout"
    end)
    t.eq({ after, message, code }, { nil, "no answer", "timeout" })
    t.eq(sessions.get(session._id).sandbox_id, session.sandbox_id)
  end,
}
