-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local history = require "lib.sessions.history"

local function message(role, parts, status)
  return { _id = role, role = role, parts = parts, status = status or "complete", created_at = date(0) }
end

local function text(role, s, status)
  return message(role, { { type = "text", text = s } }, status)
end

local function texts(list)
  local out = {}
  for i, m in ipairs(list) do
    out[i] = m.parts[1].text
  end
  return out
end

return {
  ["gives messages back oldest first, without thoughts and notices"] = function(t)
    local got = history.build {
      text("assistant", "hello"),
      message("notice", { { type = "notice", kind = "interrupted", text = "x" } }),
      message("assistant", { { type = "thought", text = "hm" } }),
      text("user", "hi"),
    }
    t.eq(texts(got), { "hi", "hello" })
  end,

  ["a message that was cut off ends with [interrupted]"] = function(t)
    local got = history.build { text("assistant", "I was", "partial"), text("user", "go") }
    t.eq(got[2].parts[2].text, "[interrupted]")
  end,

  ["a tool call stays with its result, one without an end gets a failed one"] = function(t)
    local got = history.build {
      message("assistant", {
        {
          type = "tool",
          tool_call_id = "a",
          name = "shell",
          title = "ls",
          input = '{"command":"ls"}',
          output = "x",
          status = "completed",
        },
        { type = "tool", tool_call_id = "b", name = "shell", title = "ls", input = "{}", status = "in_progress" },
      }),
      text("user", "go"),
    }
    local parts = got[2].parts
    t.eq({ parts[1].input.command, parts[1].output, parts[1].status }, { "ls", "x", "completed" })
    t.eq({ parts[2].output, parts[2].status }, { "[interrupted]", "failed" })
    t.eq(json.encode(parts[2].input), "{}")
  end,

  ["keeps the newest that fit and begins with a question"] = function(t)
    local list = {}
    for i = 50, 1, -1 do
      list[#list + 1] = text("assistant", "answer " .. i .. (" "):rep(900))
      list[#list + 1] = text("user", "question " .. i)
    end
    local got, cut = history.build(list, 20000)
    t.ok(cut)
    t.eq(got[1].role, "user")
    t.eq(got[#got].parts[1].text:match "^%a+ %d+", "answer 50")
    t.ok(#json.encode(got) < 24000, "as JSON it has " .. #json.encode(got))
  end,

  ["a huge output is shortened rather than the message left out"] = function(t)
    local got = history.build({
      message("assistant", {
        {
          type = "tool",
          tool_call_id = "a",
          name = "n",
          title = "n",
          input = "{}",
          output = ("é"):rep(100000),
          status = "completed",
        },
      }),
      text("user", "go"),
    }, 20000)
    t.eq(#got, 2)
    t.ok(#got[2].parts[1].output < 6000)
    t.ok(utf8.len(got[2].parts[1].output), "still UTF-8")
  end,
}
