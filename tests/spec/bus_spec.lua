-- gander.bus: ids, cursors and what is refused. Reading is shown by the C tests and over HTTP.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"

return {
  ["publish counts up"] = function(t)
    local topic = t.id()
    local first = bus.publish(topic, "e", { a = 1 })
    t.ok(bus.publish(topic, "e", { a = 2 }) > first)
  end,

  ["publish takes growing ids and refuses others"] = function(t)
    local topic = t.id()
    t.eq(bus.publish(topic, "log", {}, 7), 7)
    t.eq(bus.publish(topic, "log", {}, 9), 9)
    local id, message, code = bus.publish(topic, "log", {}, 9)
    t.eq({ id, code }, { nil, "conflict" })
    t.ok(message:find("past id 9", 1, true))
  end,

  ["publish refuses what is no JSON or too big"] = function(t)
    local _, _, code = bus.publish(t.id(), "e", 0 / 0)
    t.eq(code, "invalid")
    _, _, code = bus.publish(t.id(), "e", ("x"):rep(1024 * 1024))
    t.eq(code, "invalid")
  end,

  ["publish raises on misuse"] = function(t)
    t.raises(function()
      bus.publish("", "e", 1)
    end, "a name has 1 to 200 bytes")
    t.raises(function()
      bus.publish("t", ("e"):rep(201), 1)
    end, "a name has 1 to 200 bytes")
    t.raises(function()
      bus.publish("t", "e")
    end, "value expected")
    t.raises(function()
      bus.publish("t", "e", 1, 0)
    end, "an id is 1 or more")
    t.raises(function()
      bus.publish("t", "e", 1, "x")
    end, "number expected")
  end,

  ["cursor moves with what is published"] = function(t)
    local topic = t.id()
    local before = bus.cursor { topic }
    bus.publish(topic, "e", 1)
    t.ok(bus.cursor { topic } ~= before)
  end,

  ["cursor carries the ids it is given"] = function(t)
    local topic = t.id()
    local at5, at6 = bus.cursor({ topic }, { [topic] = 5 }), bus.cursor({ topic }, { [topic] = 6 })
    t.ok(at5 ~= at6)
    bus.publish(topic, "log", {}, 6)
    t.eq(at6:match("%-(%x+)$"), bus.cursor({ topic }):match("%-(%x+)$"))
  end,

  ["cursor raises on misuse"] = function(t)
    t.raises(function()
      bus.cursor {}
    end, "1 to 16 topics")
    t.raises(function()
      bus.cursor { 5 }
    end, "a topic is a string")
    t.raises(function()
      bus.cursor({ "a" }, { a = -1 })
    end, "must be an integer")
  end,
}
