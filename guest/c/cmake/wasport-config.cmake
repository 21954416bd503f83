# For find_package(wasport): the target wasport::wasport, wasport's headers and library for those who compile with a wasi-sdk's own toolchain
# file. Of `wasport cc` they are a part; there the target adds nothing, so that the same CMakeLists.txt serves for both.
if(NOT TARGET wasport::wasport)
	add_library(wasport::wasport INTERFACE IMPORTED)
	if(NOT WASPORT)
		set(wasport_library "${CMAKE_CURRENT_LIST_DIR}/../../wasport/libwasport.a")
		if(NOT EXISTS "${wasport_library}")
			set(wasport_FOUND FALSE)
			set(wasport_NOT_FOUND_MESSAGE "there is no ${wasport_library}: run make install, or use wasport-toolchain.cmake")
			return()
		endif()
		set_target_properties(wasport::wasport PROPERTIES
			INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_LIST_DIR}/../../wasport/include"
			INTERFACE_COMPILE_DEFINITIONS "_WASI_EMULATED_SIGNAL;_WASI_EMULATED_PROCESS_CLOCKS;_WASI_EMULATED_GETPID;_WASI_EMULATED_MMAN"
			INTERFACE_LINK_OPTIONS "LINKER:-z,stack-size=1048576,--stack-first"
			INTERFACE_LINK_LIBRARIES "${wasport_library};-lwasi-emulated-signal;-lwasi-emulated-process-clocks;-lwasi-emulated-getpid;-lwasi-emulated-mman")
	endif()
endif()
