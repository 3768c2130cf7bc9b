# What `make test`, `make check` and `make bench` are made of. A part that has nothing to run yet prints nothing.
# SPDX-License-Identifier: Apache-2.0

TEST_PARTS = unit-asan unit-tsan spec-release spec-asan contract console-unit e2e browser
CHECK_PARTS = check-floors check-sizes check-format check-c check-lua check-www
.PHONY: $(TEST_PARTS) $(CHECK_PARTS) test-tools unit spec bench fuzz format strict

unit: unit-asan unit-tsan  ## the engines in C, under both sanitizers
spec: spec-release spec-asan  ## Lua inside the host, as built and under the sanitizer
contract e2e browser: core console  ## the contracts; trips over REST; the page in a browser
	$(if $(node_files),$(WITHOUT_KEYS) node --test --test-reporter=tap --test-concurrency=1 $(node_files))

screenshots: test-tools core console  ## the README's pictures, light and dark, from the story told in a browser
	STORY_NAME=swan-api $(WITHOUT_KEYS) node --test --test-reporter=dot tests/browser/story.test.mjs
	for theme in light dark; do for name in chat:permission policies:policy; do \
		cp tests/artefacts/$${name#*:}-$$theme.png www/screenshots/$${name%:*}$$(test $$theme = dark && echo -dark).png || exit 1; \
	done; done

bench: all  ## the figures of tests/bench, on this machine
	for file in $(wildcard tests/bench/*.bench.mjs); do echo "# $$file"; node $$file || exit 1; done

# Each target with clang's libFuzzer, by hand and for as long as one likes: tests/fuzz/README.md.
fuzz: $(patsubst tests/fuzz/fuzz_%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))  ## the fuzz targets, in build/fuzz (needs clang)

build/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(wildcard core/*.c core/*.h)
	command -v clang >/dev/null || { echo 'make fuzz needs clang'; exit 1; }
	mkdir -p $(@D) $(@D)/corpus-$*
	echo '  FUZZ    $@'
	clang -std=c11 -D_GNU_SOURCE -DFUZZ_ALONE -g -O1 -pthread -fsanitize=fuzzer,address,undefined $(INCLUDE) $< $(FUZZED) $(PACKAGE_LIBS) -o $@

# The parts of the core that are fuzzed stand on the ground floor; none knows Lua.
FUZZED = $(addprefix core/,buf.c err.c log.c value.c value_scan.c json.c wait.c router.c scriptset.c scripts_disk.c) \
	$(wildcard core/follow_parse*.c) core/follow_events.c

format: test-tools  ## write C and Lua the way `make check` wants them
	$(if $(C_FILES),clang-format -i $(C_FILES))
	$(if $(LUA_FILES),node tests/support/format-lua.mjs --write $(LUA_FILES))

# Keys and addresses of the developer's own are kept from every test.
KEYS = $(filter VERCEL_% MONGODB_URI GOOSE_% OPENAI_% ANTHROPIC_%,$(.VARIABLES))
WITHOUT_KEYS = env $(addprefix -u ,$(KEYS))
SPECS = $(shell find tests/spec -name '*_spec.lua' 2>/dev/null)
CONSOLE_TESTS = $(shell find www/src -name '*.test.ts*' 2>/dev/null)
node_files = $(shell find tests/$@ -name '*.test.*' -not -path '*/node_modules/*' 2>/dev/null)
C_FILES = $(shell git ls-files -co --exclude-standard 'core/*.[ch]' 'tests/*.[ch]')
LUA_FILES = $(shell git ls-files -co --exclude-standard '*.lua')

# gcc 12's ThreadSanitizer cannot live with the wide address randomisation of newer kernels.
unit-tsan: RUN = $(shell setarch --addr-no-randomize true 2>/dev/null && echo setarch --addr-no-randomize)

unit-asan unit-tsan: unit-%: %
	$(if $(UNIT),$(WITHOUT_KEYS) $(RUN) build/$*/unit/run)

spec-release: core
	$(if $(SPECS),$(WITHOUT_KEYS) ./gander test)

spec-asan: asan
	$(if $(SPECS),$(WITHOUT_KEYS) build/asan/gander test)

console-unit: console
	$(if $(CONSOLE_TESTS),cd www && npx vitest run --reporter=tap-flat)

test-tools: setup
	vendor/setup-packages.sh test
	vendor/setup-npm.sh vendor/tools 'make check'
	$(if $(wildcard tests/browser/package.json),vendor/setup-npm.sh tests/browser 'the browser tests')

check-floors check-sizes: check-%:
	echo '  CHECK   $*'
	node tests/support/$*.mjs

check-format:
	echo '  CHECK   format'
	$(if $(C_FILES),clang-format --dry-run --Werror $(C_FILES))
	$(if $(LUA_FILES),node tests/support/format-lua.mjs $(LUA_FILES))

check-c:
	echo '  CHECK   C'
	$(MAKE) $(JOBS) VARIANT=strict strict

strict: $(CORE) $(UNIT)

check-lua:
	echo '  CHECK   Lua'
	$(if $(LUA_FILES),luacheck --quiet $(LUA_FILES))

check-www:
	$(if $(wildcard www/package.json),vendor/setup-npm.sh www 'the console' && echo '  CHECK   www' && cd www && npm run --silent check)
