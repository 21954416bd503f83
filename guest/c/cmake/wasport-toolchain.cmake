# For cmake -DCMAKE_TOOLCHAIN_FILE=…: compiles for wasport, with `wasport cc` and `wasport c++` from the PATH.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")

find_program(WASPORT wasport REQUIRED)
set(CMAKE_C_COMPILER "${WASPORT}" cc)
set(CMAKE_CXX_COMPILER "${WASPORT}" c++)

# Archives for WebAssembly need an index that only LLVM's programs make.
find_program(CMAKE_AR NAMES llvm-ar REQUIRED)
find_program(CMAKE_RANLIB NAMES llvm-ranlib REQUIRED)

# The machine's own libraries are of no use.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(wasport_DIR "${CMAKE_CURRENT_LIST_DIR}")
