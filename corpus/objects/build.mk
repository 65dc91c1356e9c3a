# How sample programs are compiled, here and in the folders below. HEADERS: what every one of them includes. INCLUDE: further options.
CLANG ?= clang-19
STRIP ?= llvm-strip-19
ARCH ?= x86_64-linux-gnu
CFLAGS = -target bpf -O2 -g -mcpu=v3 -Wall -Werror -I/usr/include/$(ARCH) $(INCLUDE) \
	-ffile-prefix-map=$(CURDIR)=. -fdebug-compilation-dir=.

OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))

all: $(OBJECTS)

%.o: %.c $(HEADERS)
	$(CLANG) $(CFLAGS) -c $< -o $@
	$(STRIP) -g $@

clean:
	rm -f $(OBJECTS)

.PHONY: all clean
