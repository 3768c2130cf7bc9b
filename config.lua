-- Gander's settings, each with its default. Remove the dashes in front of what you want to change.
-- The environment beats this file, the command line beats both. An unknown key stops the start.
return {
  -- Where the console and the REST API listen. Another address than loopback needs trust_network.
  -- listen = "127.0.0.1:8700",

  -- There is no sign-in yet: whoever reaches Gander can run code in it. Set this only on a network of your own.
  -- trust_network = false,

  -- Further names under which browsers reach this host (a reverse proxy's, say).
  -- hosts = { "gander.example.org" },

  -- Database, sandboxes, workspaces and keys; relative to this file.
  -- data = "data",

  -- The scripts directory; what may be written over HTTP: "rules" (policies/ and cleanup/) or "all".
  -- scripts = "scripts",
  -- scripts_write = "rules",

  -- "debug", "info", "warn" or "error".
  -- log_level = "info",

  -- Who may be picked on the page. There are no passwords in this version.
  users = {
    { id = "ada", name = "Ada Lovelace" },
    { id = "grace", name = "Grace Hopper" },
    { id = "linus", name = "Linus Pauling" },
  },

  -- Where sandboxes run. `local` needs Linux with user namespaces (bubblewrap).
  -- default_provider = "local",
  -- reach_private lets sandboxes with network, and the cloning of sources, into private networks, this machine's too.
  -- providers = { ["local"] = { kind = "local", slots = 200, memory_mb = 1024, cpus = 1, processes = 256,
  --   reach_private = false, -- true: with egress "allow", private networks and this machine (10.0.2.2) are in reach too
  -- } },

  -- sandbox = {
  --   vcpus = 2,
  --   timeout_s = 1800,      -- what a provider is asked for at a time
  --   workspace = "keep",    -- or "discard": do a project's files outlive its sandbox?
  --   egress = "auto",       -- "allow", "deny"; auto: allow when a real model provider is configured
  -- },

  -- goose = { engine = "auto", mode = "approve" },

  -- limits = { body = 1048576, workers = 64, call_ms = 30000, call_memory_mb = 128 },

  -- Numbers that policies read as facts.settings.
  -- policy = { idle_minutes = 10 },
}
