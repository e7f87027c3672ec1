/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FIPS 180-4 with the SHA extensions of x86-64. */
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "sha256.h"

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE_WITH_SHA static inline __attribute__((always_inline)) WITH_SHA

#define CHUNK 64      /* bytes, that are hashed in one go */
#define LENGTH_SIZE 8 /* of the message, at its end */

struct sha256 {
	uint32_t state[8]; /* after all whole chunks of the prefix */
	size_t prefix_size, n_rest;
	uint8_t rest[CHUNK]; /* what follows them */
};

/* FIPS 180-4, 5.3.3 and 4.2.2. */
static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* --- chunks; the working variables as the instructions want them, the first letter in the highest word --- */

struct lane {
	__m128i abef, cdgh;
	__m128i w[4]; /* four words of the schedule each; the one that is used next is replaced by that of 16 rounds later */
};

INLINE_WITH_SHA void lane_begin(struct lane *l, const uint32_t state[static 8]) {
	__m128i abcd = _mm_loadu_si128((const __m128i *)state);
	__m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));

	abcd = _mm_shuffle_epi32(abcd, 0x1b);
	efgh = _mm_shuffle_epi32(efgh, 0x1b);
	l->abef = _mm_unpackhi_epi64(efgh, abcd);
	l->cdgh = _mm_unpacklo_epi64(efgh, abcd);
}

INLINE_WITH_SHA void lane_end(const struct lane *l, uint32_t ret_state[static 8]) {
	__m128i abcd = _mm_unpackhi_epi64(l->cdgh, l->abef);
	__m128i efgh = _mm_unpacklo_epi64(l->cdgh, l->abef);

	_mm_storeu_si128((__m128i *)ret_state, _mm_shuffle_epi32(abcd, 0x1b));
	_mm_storeu_si128((__m128i *)(ret_state + 4), _mm_shuffle_epi32(efgh, 0x1b));
}

/* The words of a message are big-endian. */
INLINE_WITH_SHA __m128i load_words(const uint8_t *bytes) {
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), swap);
}

/* As everything here it is written out: what an index finds in a loop is kept in memory. */
INLINE_WITH_SHA void lane_load(struct lane *l, const uint8_t *chunk) {
	l->w[0] = load_words(chunk);
	l->w[1] = load_words(chunk + 16);
	l->w[2] = load_words(chunk + 32);
	l->w[3] = load_words(chunk + 48);
}

INLINE_WITH_SHA void lane_four_rounds(struct lane *l, const uint32_t *k, int i) {
	__m128i wk = _mm_add_epi32(l->w[i], _mm_load_si128((const __m128i *)k));

	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, wk);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

INLINE_WITH_SHA void lane_expand(struct lane *l, int i) {
	__m128i last = l->w[(i + 3) % 4];
	__m128i w = _mm_sha256msg1_epu32(l->w[i], l->w[(i + 1) % 4]);

	w = _mm_add_epi32(w, _mm_alignr_epi8(last, l->w[(i + 2) % 4], 4));
	l->w[i] = _mm_sha256msg2_epu32(w, last);
}

/* Four rounds of one message, or of two whose instructions need not wait for each other. */
INLINE_WITH_SHA void four_rounds(struct lane *a, struct lane *b, const uint32_t *k, int i,
				 bool more) {
	lane_four_rounds(a, k + 4 * i, i);
	if (b)
		lane_four_rounds(b, k + 4 * i, i);
	if (more)
		lane_expand(a, i);
	if (more && b)
		lane_expand(b, i);
}

INLINE_WITH_SHA void sixteen_rounds(struct lane *a, struct lane *b, const uint32_t *k,
				    bool more) {
	four_rounds(a, b, k, 0, more);
	four_rounds(a, b, k, 1, more);
	four_rounds(a, b, k, 2, more);
	four_rounds(a, b, k, 3, more);
}

INLINE_WITH_SHA void all_rounds(struct lane *a, struct lane *b) {
	sixteen_rounds(a, b, constants, true);
	sixteen_rounds(a, b, constants + 16, true);
	sixteen_rounds(a, b, constants + 32, true);
	sixteen_rounds(a, b, constants + 48, false);
}

INLINE_WITH_SHA void lane_add(struct lane *l, const struct lane *before) {
	l->abef = _mm_add_epi32(l->abef, before->abef);
	l->cdgh = _mm_add_epi32(l->cdgh, before->cdgh);
}

WITH_SHA static void compress_one(uint32_t state[static 8], const uint8_t *from,
				  size_t chunks) {
	struct lane lane, before;

	lane_begin(&lane, state);
	for (; chunks > 0; chunks--, from += CHUNK) {
		before = lane;
		lane_load(&lane, from);
		all_rounds(&lane, NULL);
		lane_add(&lane, &before);
	}
	lane_end(&lane, state);
}

WITH_SHA static void compress_two(uint32_t state_a[static 8], uint32_t state_b[static 8],
				  const uint8_t *a, const uint8_t *b, size_t chunks) {
	struct lane lane_a, lane_b, before_a, before_b;

	lane_begin(&lane_a, state_a);
	lane_begin(&lane_b, state_b);
	for (; chunks > 0; chunks--, a += CHUNK, b += CHUNK) {
		before_a = lane_a;
		before_b = lane_b;
		lane_load(&lane_a, a);
		lane_load(&lane_b, b);
		all_rounds(&lane_a, &lane_b);
		lane_add(&lane_a, &before_a);
		lane_add(&lane_b, &before_b);
	}
	lane_end(&lane_a, state_a);
	lane_end(&lane_b, state_b);
}

/* --- messages --- */

/* One that is about to be hashed: what of it is whole chunks, and the chunks made of what is before and behind them. */
struct message {
	uint32_t state[8];
	const uint8_t *whole;
	size_t chunks, head_chunks, tail_chunks;
	uint8_t head[CHUNK], tail[2 * CHUNK];
};

static void write_big_endian(uint8_t *to, uint64_t number, size_t size) {
	for (size_t i = size; i-- > 0; number >>= 8)
		to[i] = (uint8_t)number;
}

/* What is left of a message, with its end (5.1.1); returns how many chunks that is. */
static size_t pad(uint8_t tail[static 2 * CHUNK], size_t n, uint64_t total) {
	size_t chunks = n + 1 + LENGTH_SIZE > CHUNK ? 2 : 1;

	memset(tail + n, 0, chunks * CHUNK - n);
	tail[n] = 0x80;
	write_big_endian(tail + chunks * CHUNK - LENGTH_SIZE, total * 8, LENGTH_SIZE);
	return chunks;
}

/* The prefix's rest takes what it needs to be a chunk, or all there is. */
static void message_begin(struct message *m, const struct sha256 *s, const uint8_t *bytes,
			  size_t len) {
	size_t lead = s->n_rest > 0 ? CHUNK - s->n_rest : 0;
	bool fills = len >= lead;

	if (!fills)
		lead = len;
	memcpy(m->state, s->state, sizeof(m->state));
	memcpy(m->head, s->rest, s->n_rest);
	memcpy(m->head + s->n_rest, bytes, lead);
	m->head_chunks = fills && s->n_rest > 0;
	m->whole = bytes + lead;
	m->chunks = (len - lead) / CHUNK;
	if (fills) {
		size_t left = (len - lead) % CHUNK;

		memcpy(m->tail, m->whole + m->chunks * CHUNK, left);
		m->tail_chunks = pad(m->tail, left, s->prefix_size + len);
	} else {
		memcpy(m->tail, m->head, s->n_rest + lead);
		m->tail_chunks = pad(m->tail, s->n_rest + lead, s->prefix_size + len);
	}
}

static void message_end(const struct message *m, uint8_t ret[static SHA256_SIZE]) {
	for (int i = 0; i < 8; i++)
		write_big_endian(ret + 4 * i, m->state[i], 4);
}

int sha256_one(const struct sha256 *s, const void *bytes, size_t len,
	       uint8_t ret[static SHA256_SIZE]) {
	struct message m;

	message_begin(&m, s, bytes, len);
	compress_one(m.state, m.head, m.head_chunks);
	compress_one(m.state, m.whole, m.chunks);
	compress_one(m.state, m.tail, m.tail_chunks);
	message_end(&m, ret);
	return 0;
}

int sha256_two(const struct sha256 *s, const void *a, const void *b, size_t len,
	       uint8_t ret_a[static SHA256_SIZE], uint8_t ret_b[static SHA256_SIZE]) {
	struct message first, second;

	message_begin(&first, s, a, len);
	message_begin(&second, s, b, len);
	compress_two(first.state, second.state, first.head, second.head,
		     first.head_chunks);
	compress_two(first.state, second.state, first.whole, second.whole, first.chunks);
	compress_two(first.state, second.state, first.tail, second.tail,
		     first.tail_chunks);
	message_end(&first, ret_a);
	message_end(&second, ret_b);
	return 0;
}

/* --- beginning --- */

/* By the processor itself: nothing of the compiler's runtime and of the environment is asked. */
static bool has_instructions(void) {
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

static void begin(struct sha256 *s, const uint8_t *prefix, size_t size) {
	size_t chunks = size / CHUNK;

	memcpy(s->state, initial, sizeof(s->state));
	compress_one(s->state, prefix, chunks);
	s->prefix_size = size;
	s->n_rest = size % CHUNK;
	memcpy(s->rest, prefix + chunks * CHUNK, s->n_rest);
}

/* The digest of "abc" that FIPS 180-2 prints, in each way: a virtual machine may promise what it does not have. */
static bool is_right(void) {
	static const uint8_t expected[SHA256_SIZE] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
		0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
		0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
	};
	uint8_t one[SHA256_SIZE], a[SHA256_SIZE], b[SHA256_SIZE];
	struct sha256 s;

	begin(&s, (const uint8_t *)"a", 1);
	sha256_one(&s, "bc", 2, one);
	sha256_two(&s, "bc", "bc", 2, a, b);
	return memcmp(one, expected, SHA256_SIZE) == 0 &&
	       memcmp(a, expected, SHA256_SIZE) == 0 &&
	       memcmp(b, expected, SHA256_SIZE) == 0;
}

int sha256_new(const void *prefix, size_t prefix_size, struct sha256 **ret) {
	_cleanup_(sha256_freep) struct sha256 *s = NULL;

	if (!has_instructions() || !is_right())
		return -EOPNOTSUPP;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	begin(s, prefix_size > 0 ? prefix : "", prefix_size);
	*ret = TAKE_PTR(s);
	return 0;
}

void sha256_free(struct sha256 *s) {
	free(s);
}
