/* SPDX-License-Identifier: MIT
 *
 * The contract between compiled code and the runtime: what the plugin lays out
 * in every object file, and the few entry points. Read by clang-plugin/ (writes
 * the layouts) and runtime/ (finds them through the ELF note). Nothing here may
 * need a relocation against another module or a symbol at link time.
 *
 * A unit (one compiled source file) carries
 *
 *   .note.memscope   struct ms_note        found with dl_iterate_phdr
 *   .data            struct ms_unit        patched by the runtime, once
 *   .bss             ms_step[]             one for each site
 *   .rodata          ms_site[], ms_type[], ms_field[], strings (no relocations)
 *
 * A name is a number the runtime has given to a place, or to a place behind a name:
 * each site that a block is handed through takes it one step on. Which step that is
 * hardly ever changes at a site, so it remembers it, and compiled code takes it alone.
 * Behind each call that may hand over a new block stands this check:
 *
 *   struct ms_last *last = thread_pointer + unit.tls_offset       all accesses volatile
 *   offset = (uintptr_t)result - last->last_block
 *   if (offset < MS_NEAR_BYTES) {
 *       step = steps[index]                                       one load
 *       if (offset != 0 || last->name != step.from) unit.step(result, &unit, index | flags)   preserve_most
 *       else if (flags & MS_BIND_UP) last->name = step.to
 *       else if (!last->thread->name) unit.step(result, &unit, index | flags)
 *       else *last->thread->name = step.to, last->last_block = MS_NO_BLOCK                    the last site
 *   }
 *
 * and this one behind a call that frees a pointer p:
 *
 *   if ((uintptr_t)p == last->last_freed) {
 *       step = steps[index]
 *       if (last->freed_name != step.from) unit.step(p, &unit, index | flags | MS_BIND_FREED)
 *       else last->freed_name = step.to, last->last_freed = MS_NO_BLOCK                       with MS_BIND_UP: it stays
 *   }
 *
 * Without a runtime tls_offset is 0. On x86-64 the thread pointer points to
 * itself and the word behind it is the dtv: neither is ever a heap block, so
 * both checks fail, nothing is written and nothing called.
 */
#ifndef MEMSCOPE_ABI_H
#define MEMSCOPE_ABI_H

#include <stdint.h>

#ifdef __cplusplus
#define MS_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define MS_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

enum {
  MS_ABI_VERSION = 3,
  MS_NEAR_BYTES = 64,       /* an allocator's own header before the block is still named */
  MS_NOTE_TYPE = 1,         /* a unit: struct ms_note */
  MS_NOTE_RUNTIME_TYPE = 2, /* empty: this image holds the runtime itself, so `memscope run` preloads no second one */
};

#define MS_NOTE_NAME "MemScope" /* namesz 9, padded to 12 */
#define MS_NOTE_SECTION ".note.memscope"

/* No pointer a call can return is near this (NULL and small integers are near -1). */
#define MS_NO_BLOCK ((uintptr_t)1 << 63)

/* The site's index in its unit, and flags. */
#define MS_BIND_UP UINT32_C(0x80000000)     /* not final: the block is handed on to the caller */
#define MS_BIND_WEAK UINT32_C(0x40000000)   /* inside a system header: a user's site is preferred */
#define MS_BIND_RECORD UINT32_C(0x20000000) /* pointee is a record: an interior match must not replace it */
#define MS_BIND_FREED UINT32_C(0x10000000)  /* the site's call gave the block back */
#define MS_BIND_INDEX UINT32_C(0x00ffffff)

/* What the source does with the block at a site. */
enum ms_site_kind {
  MS_SITE_UNKNOWN,
  MS_SITE_INIT,     /* T *x = call()            */
  MS_SITE_ASSIGN,   /* x = call(), p->a.b[i] =  */
  MS_SITE_RETURN,   /* return call()            */
  MS_SITE_ARG,      /* f(call())                */
  MS_SITE_TEMP,     /* *call(), call()->x       */
  MS_SITE_OUT,      /* call(&x)                 */
  MS_SITE_FREE,     /* free(x), delete x        */
  MS_SITE_DISCARD,  /* call();                  */
};

enum ms_site_flag {
  MS_SITE_UP = 1,      /* see MS_BIND_UP */
  MS_SITE_WRAPPER = 2, /* stands in a function that hands out, on every path, a block it just obtained */
  MS_SITE_SYSTEM = 4,  /* stands in a system header */
  MS_SITE_NEW = 8,     /* operator new or delete */
  MS_SITE_ARRAY = 16,  /* the element type repeats: new T[n], malloc(n * sizeof(T)) */
  MS_SITE_PASSING = 32, /* with UP: a local that keeps the block nowhere, only hands it to the caller */
};

/* A place in source a block goes to, or is freed at. String fields are byte
 * offsets into the unit's strings; offset 0 is the empty string. */
struct ms_site {
  uint32_t holder;        /* variable or field path: "p->a.b[i]"; a return: "return"; an argument: "f(…, #2)" */
  uint32_t type;          /* 1-based index into the unit's types of the pointee; 0 = unknown (void) */
  uint32_t file;          /* as given to the compiler, made absolute unless -fdebug-prefix-map says otherwise */
  uint32_t line;          /* from 1 */
  uint32_t function;      /* enclosing function as a reader writes it: demangled */
  uint32_t callee;        /* function called: "xmalloc", "operator new", "free"; through a pointer: its expression */
  uint16_t column;        /* from 1; 65535 = that or more */
  uint8_t kind;           /* enum ms_site_kind */
  uint8_t flags;          /* enum ms_site_flag */
  uint32_t element_bytes; /* sizeof(pointee), 0 = unknown or incomplete */
};
MS_STATIC_ASSERT(sizeof(struct ms_site) == 32, "compiled objects carry this layout: raise MS_ABI_VERSION");

enum ms_type_kind {
  MS_TYPE_OTHER,
  MS_TYPE_SCALAR,  /* integer, enum, floating point, bool */
  MS_TYPE_POINTER,
  MS_TYPE_STRUCT,
  MS_TYPE_UNION,
  MS_TYPE_CLASS,
  MS_TYPE_ARRAY,
  MS_TYPE_FUNCTION,
};

struct ms_type {
  uint32_t name;           /* string: "struct conn", "TString", "std::vector<int>" */
  uint16_t kind;           /* enum ms_type_kind */
  uint16_t reserved;       /* 0 */
  uint64_t size_bytes;     /* 0 = incomplete */
  uint32_t align_bytes;
  uint32_t target;         /* pointee or element: 1-based type index, 0 = none or void */
  uint32_t first_field;    /* index into the unit's fields */
  uint32_t field_count;    /* 0 for types that are no records */
};
MS_STATIC_ASSERT(sizeof(struct ms_type) == 32, "compiled objects carry this layout: raise MS_ABI_VERSION");

enum ms_field_flag {
  MS_FIELD_POINTER = 1,  /* holds an address */
  MS_FIELD_BITS = 2,     /* bit-field: offset_bits counts from offset_bytes, size_bits in size_bytes' place */
  MS_FIELD_FLEXIBLE = 4, /* flexible array member, also [0] and a last [1] */
  MS_FIELD_BASE = 8,     /* a C++ base class */
  MS_FIELD_VPTR = 16,    /* the compiler's table pointer */
};

struct ms_field {
  uint32_t name;         /* string; "" = anonymous */
  uint32_t type;         /* 1-based index into the unit's types, 0 = unknown */
  uint32_t offset_bytes;
  uint32_t size_bytes;   /* of a bit-field: its width in bits */
  uint32_t counted_by;   /* 1 + index among the record's fields of the element count, 0 = none */
  uint8_t flags;         /* enum ms_field_flag */
  uint8_t offset_bits;   /* of a bit-field, within its first byte */
  uint16_t reserved;     /* 0 */
};
MS_STATIC_ASSERT(sizeof(struct ms_field) == 24, "compiled objects carry this layout: raise MS_ABI_VERSION");

/* A name that means: none yet. No step starts as one from here. */
#define MS_NAME_NONE UINT32_C(1)

/* What a site does to the name of a block, or of a free: the newest step through it.
 * Zero at first. Read and written whole. */
struct ms_step {
  uint32_t from, to;
};
MS_STATIC_ASSERT(sizeof(struct ms_step) == 8, "compiled objects carry this layout: raise MS_ABI_VERSION");

/* The unit's writable cell: what compiled code reads, what the runtime patches. */
struct ms_unit {
  int64_t tls_offset;                               /* of struct ms_last from the thread pointer; 0 = no runtime */
  void (*step)(void *, struct ms_unit *, uint32_t); /* assembly stub, keeps every general register but r11 */
  uint32_t first_site;                              /* id in the stream of site 0 */
  uint32_t state;                                   /* owned by the runtime, 0 = unseen */
  struct ms_step *steps;                            /* for the runtime: the unit's own */
};
MS_STATIC_ASSERT(sizeof(struct ms_unit) == 32, "compiled objects carry this layout: raise MS_ABI_VERSION");

/* What compiled code knows of the runtime's own structure for a thread. A forked
 * child finds it zeroed. */
struct ms_newest {
  uint32_t *name; /* of the thread's newest block, in its row; NULL: that row is not there to be written to */
};

/* The runtime's thread-local words that compiled code knows. Nothing guards
 * them: a signal handler that comes between and allocates has one block named
 * wrongly at worst. */
struct ms_last {
  uintptr_t last_block;     /* the thread's newest block that has no final name, else MS_NO_BLOCK: then its row has that name */
  uintptr_t last_freed;     /* the pointer just freed, else MS_NO_BLOCK */
  uint32_t name;            /* of last_block, so far */
  uint32_t freed_name;      /* of the place where last_freed was freed, so far */
  struct ms_newest *thread; /* never NULL */
};
MS_STATIC_ASSERT(sizeof(struct ms_last) == 32, "compiled objects carry this layout: raise MS_ABI_VERSION");

/* Note payload. Relative fields hold (target - address of the field). */
struct ms_note {
  uint32_t namesz, descsz, type;
  char name[12];
  uint32_t version; /* MS_ABI_VERSION */
  int32_t unit;     /* -> struct ms_unit */
  int32_t sites;    /* -> struct ms_site[site_count] */
  uint32_t site_count;
  int32_t types; /* -> struct ms_type[type_count] */
  uint32_t type_count;
  int32_t fields; /* -> struct ms_field[field_count] */
  uint32_t field_count;
  int32_t strings; /* -> char[strings_bytes], begins and ends with a NUL */
  uint32_t strings_bytes;
  uint32_t source;   /* string: the unit's main source file */
  uint32_t compiler; /* string: "clang 19.1.7" */
  int32_t steps;     /* -> struct ms_step[site_count] */
};
MS_STATIC_ASSERT(sizeof(struct ms_note) == 76, "compiled objects carry this layout: raise MS_ABI_VERSION");

#endif
