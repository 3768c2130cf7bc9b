# Gander. `make run` sets up, builds and starts; `make help` lists the rest.
#
# The host is compiled in variants, each with its own objects under build/: release, asan (with UBSan), tsan, and
# strict (warnings are errors). VARIANT names the one that the rules below compile.
# SPDX-License-Identifier: Apache-2.0

VERSION = 0.1.0
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
PREFIX ?= /usr/local
VARIANT ?= release
OUT = build/$(VARIANT)

# A Node that set-up had to bring goes before the system's.
export PATH := $(CURDIR)/vendor/.cache/node/bin:$(PATH)
# Rules print what they make, not how; V=1 shows the commands.
MAKEFLAGS += --no-print-directory $(if $(V),,--silent)
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:
.PHONY: all run test check bench format install clean help setup core console asan tsan FORCE

## For everybody

# Set-up brings the tools that the rules below ask for their flags, hence a second make.
all: setup  ## set up and build everything; leaves ./gander (the default)
	$(MAKE) $(JOBS) core console

run: all  ## set up, build, start the host; ARGS="..." go to `gander serve`
	exec ./gander serve $(ARGS)

test: all test-tools  ## all tests; closes with "N passed, N failed"
	$(MAKE) asan tsan
	node tests/support/tally.mjs $(TEST_PARTS)

check: test-tools  ## floors, sizes, warnings as errors, format and linters of C, Lua and TypeScript
	$(MAKE) --keep-going $(CHECK_PARTS)
	echo 'check: all well'

install: all  ## copy it to PREFIX (/usr/local), below DESTDIR if set
	install -D gander '$(DESTDIR)$(PREFIX)/bin/gander'
	install -d '$(DESTDIR)$(PREFIX)/share/gander/www'
	cp -R scripts config.lua '$(DESTDIR)$(PREFIX)/share/gander/'
	cp -R www/dist '$(DESTDIR)$(PREFIX)/share/gander/www/'
	cd vendor/goose && find node_modules/@aaif \( -path '*/bin/goose' -o -name package.json \) -exec install -D {} '$(DESTDIR)$(PREFIX)/share/gander/vendor/goose/{}' \;

clean:  ## remove what was built (not what set-up fetched: that is vendor/.cache)
	rm -rf build gander www/dist tests/artefacts

help:  ## list the targets
	awk -F ':.*## ' '/^[a-z][a-z0-9 -]*:.*## / { printf "  make %-20s %s\n", $$1, $$2 } /^## / { print substr($$0, 4) ":" }' $(MAKEFILE_LIST)

## Parts

setup:  ## Debian packages, civetweb's source, Node, goose; a second time does nothing
	vendor/setup-packages.sh build run
	vendor/setup-civetweb.sh
	vendor/setup-node.sh
	vendor/setup-goose.sh

core: gander  ## the host
console: $(if $(wildcard www/package.json),www/dist/index.html)  ## the page
asan tsan:  ## host and unit tests under a sanitizer, in build/asan or build/tsan
	$(MAKE) $(JOBS) VARIANT=$@ build/$@/gander $(if $(UNIT),build/$@/unit/run)

# The host.

PACKAGES = lua5.4 libcurl sqlite3 openssl libutf8proc libseccomp zlib
PACKAGE_FLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
CIVETWEB = vendor/.cache/civetweb

CFLAGS_release = -O2 -D_FORTIFY_SOURCE=2
CFLAGS_strict = $(CFLAGS_release) -Werror
CFLAGS_asan = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_tsan = -O1 -fno-omit-frame-pointer -fsanitize=thread
COMMON = -std=c11 -D_GNU_SOURCE -g -fstack-protector-strong -fPIE -pthread $(CFLAGS_$(VARIANT)) $(CFLAGS)
WARN = -Wall -Wextra -Wshadow -Wconversion
INCLUDE = -Icore -isystem $(CIVETWEB)/include $(PACKAGE_FLAGS)
LINK = -pie -pthread -Wl,-z,relro,-z,now $(CFLAGS_$(VARIANT)) $(LDFLAGS)
# Debian's lua-cjson has no header and no pkg-config file; its shared library is linked by name.
LIBS = $(PACKAGE_LIBS) -l:liblua5.4-cjson.so.0 -ldl -lm

CORE := $(patsubst core/%.c,$(OUT)/core/%.o,$(wildcard core/*.c core/bind/*.c))
UNIT := $(patsubst tests/unit/%.c,$(OUT)/unit/%.o,$(wildcard tests/unit/*.c)) \
	$(patsubst tests/fuzz/%.c,$(OUT)/unit/%.o,$(wildcard tests/fuzz/*.c))
DOOR := $(wildcard core/door.h)

gander: build/release/gander
	ln -f $< $@

$(OUT)/gander: $(CORE) $(OUT)/civetweb.o
	echo '  LINK    $@'
	$(CC) $(LINK) $^ $(LIBS) -o $@

$(OUT)/unit/run: $(UNIT) $(filter-out %/main.o,$(CORE)) $(OUT)/civetweb.o
	echo '  LINK    $@'
	$(CC) $(LINK) $^ $(LIBS) -o $@

$(OUT)/core/%.o: core/%.c Makefile
	mkdir -p $(@D)
	echo '  CC      $<'
	$(CC) $(COMMON) $(WARN) $(INCLUDE) -MMD -MP -c $< -o $@

$(OUT)/unit/%.o: tests/unit/%.c Makefile
	mkdir -p $(@D)
	echo '  CC      $<'
	$(CC) $(COMMON) $(WARN) $(INCLUDE) -MMD -MP -c $< -o $@

$(OUT)/unit/%.o: tests/fuzz/%.c Makefile
	mkdir -p $(@D)
	echo '  CC      $<'
	$(CC) $(COMMON) $(WARN) $(INCLUDE) -MMD -MP -c $< -o $@

# civetweb's file is compiled unmodified; core/door.h maps its socket calls to the door's.
$(OUT)/civetweb.o: $(CIVETWEB).stamp $(DOOR) Makefile
	mkdir -p $(@D)
	echo '  CC      civetweb'
	$(CC) $(COMMON) -w -fno-sanitize=undefined $(INCLUDE) $(addprefix -include ,$(DOOR)) -DNO_SSL_DL -DOPENSSL_API_3_0 -DUSE_IPV6 \
		-DUSE_X_DOM_SOCKET -DUSE_STACK_SIZE=1048576 -DSOCKET_TIMEOUT_QUANTUM=200 -DNO_CGI -DNO_FILES -DNO_CACHING \
		-c $(CIVETWEB)/src/civetweb.c -o $@

$(CIVETWEB).stamp: vendor/setup-civetweb.sh
	$< && touch $@

# Only version.c knows version and commit, so that a commit compiles one file.
$(OUT)/core/version.o: COMMON += -DGANDER_VERSION='"$(VERSION)"' -DGANDER_COMMIT='"$(COMMIT)"'
$(OUT)/core/version.o: build/commit
build/commit: FORCE
	mkdir -p $(@D)
	echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@

-include $(wildcard $(OUT)/core/*.d $(OUT)/core/bind/*.d $(OUT)/unit/*.d)

# The page.

PAGE_SOURCES = $(shell find www -type f -not -path '*/node_modules/*' -not -path 'www/dist/*' -not -path 'www/screenshots/*' 2>/dev/null)

www/dist/index.html: $(PAGE_SOURCES)
	vendor/setup-npm.sh www 'the console'
	echo '  VITE    www/dist'
	cd www && npm run --silent build -- --logLevel warn && touch dist/index.html

include tests/rules.mk
