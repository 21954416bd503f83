// Judges whether components are valid, by wasmtime.
//
// It reads components from its standard input, each after its length as 4 bytes, least significant
// first. For each it writes 1 byte, which is 0 if the component is valid, and a text with its
// length as 4 bytes, which is the error.
//
// Proposals that wazero does not have are off, so that core modules are judged alike. Several
// memories are on: wasmtime needs them itself, for calls between components.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasm.h>
#include <wasmtime.h>

static wasm_engine_t *new_engine(void) {
	wasm_config_t *config = wasm_config_new();
	wasmtime_config_wasm_component_model_set(config, true);
	wasmtime_config_wasm_threads_set(config, false);
	wasmtime_config_wasm_tail_call_set(config, false);
	wasmtime_config_wasm_function_references_set(config, false);
	wasmtime_config_wasm_gc_set(config, false);
	wasmtime_config_wasm_memory64_set(config, false);
	wasmtime_config_wasm_exceptions_set(config, false);
	wasmtime_config_wasm_relaxed_simd_set(config, false);
	wasmtime_config_parallel_compilation_set(config, false);
	wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_NONE);
	return wasm_engine_new_with_config(config);
}

static void answer(wasmtime_error_t *err) {
	wasm_byte_vec_t text = {0, NULL};
	if (err != NULL)
		wasmtime_error_message(err, &text);
	uint32_t n = (uint32_t)text.size;
	putchar(err != NULL);
	fwrite(&n, 4, 1, stdout);
	fwrite(text.data, 1, n, stdout);
	fflush(stdout);
	if (err != NULL) {
		wasm_byte_vec_delete(&text);
		wasmtime_error_delete(err);
	}
}

int main(void) {
	wasm_engine_t *engine = new_engine();
	uint32_t n;
	while (fread(&n, 4, 1, stdin) == 1) {
		uint8_t *b = malloc(n + 1);
		if (b == NULL || fread(b, 1, n, stdin) != n)
			return 1;
		wasmtime_component_t *c = NULL;
		wasmtime_error_t *err = wasmtime_component_new(engine, b, n, &c);
		answer(err);
		if (err == NULL)
			wasmtime_component_delete(c);
		free(b);
	}
	return 0;
}
