package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/printable"
)

// A frame is one function of a stack trace.
type frame struct {
	function string

	// sources are the lines below the function.
	sources []string

	// offset is the place of the frame in module, or 0 if that is nil.
	module *sourceLines
	offset uint64
}

// parseFrames reads a stack trace of wazero's.
func (inst *instance) parseFrames(stack string) []frame {
	var frames []frame
	for line := range strings.Lines(stack) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "\t")
		source, ok := strings.CutPrefix(line, "\t")
		if !ok || len(frames) == 0 {
			frames = append(frames, frame{function: line})
			continue
		}
		f := &frames[len(frames)-1]
		if f.module, f.offset = inst.parseOffset(source); f.module == nil {
			f.sources = append(f.sources, source)
		}
	}
	return frames
}

// parseOffset reads a line that interrupt.Options.Lines caused.
func (inst *instance) parseOffset(source string) (*sourceLines, uint64) {
	offset, number, ok := strings.Cut(source, ": ")
	hex, isHex := strings.CutPrefix(offset, "0x")
	if !ok || !isHex {
		return nil, 0
	}
	at, err := strconv.ParseUint(hex, 16, 64)
	n, err2 := strconv.Atoi(number)
	if err != nil || err2 != nil || n < 0 || n >= len(inst.lines) {
		return nil, 0
	}
	return inst.lines[n], at
}

// findSources replaces the offsets in frames by source lines.
func findSources(frames []frame) {
	for i := range frames {
		s := frames[i].module
		if s == nil {
			continue
		}
		var offsets []uint64
		for _, f := range frames[i:] {
			if f.module == s {
				offsets = append(offsets, f.offset)
			}
		}
		lines := s.find(offsets)
		for j := i; j < len(frames); j++ {
			if f := &frames[j]; f.module == s {
				f.sources, f.module, lines = lines[0], nil, lines[1:]
			}
		}
	}
}

// formatFrames formats a stack as Trap.Stack has it, safe for a terminal.
func (inst *instance) formatFrames(frames []frame) string {
	findSources(frames)
	var lines []string
	for _, f := range frames {
		function := printable.Text(f.function)
		if !strings.HasPrefix(function, "...") { // Not the line that counts omitted frames.
			function = strings.TrimPrefix(function, inst.framePrefix())
		}
		lines = append(lines, function)
		for _, source := range f.sources {
			lines = append(lines, "\t"+printable.Text(source))
		}
	}
	return strings.Join(lines, "\n")
}

// maxFrames is the number of frames in a stack, as in those of wazero's traps.
const maxFrames = 30

// withStackListener has wazero call stackListener before interrupt.Stack, in the compilation of the
// host module interrupt.Module. No other function has a listener: wazero would walk the stack at
// each call. No other module is compiled with this context: wazero maps a page of machine code for
// each type of it, also if no function has a listener, and keeps it until the engine is closed.
func withStackListener(ctx context.Context) context.Context {
	factory := func(def api.FunctionDefinition) experimental.FunctionListener {
		if len(def.ExportNames()) != 1 || def.ExportNames()[0] != interrupt.Stack {
			return nil
		}
		return experimental.FunctionListenerFunc(stackListener)
	}
	return experimental.WithFunctionListenerFactory(ctx,
		experimental.FunctionListenerFactoryFunc(factory))
}

// stackListener tells the stack of the calling thread. Its first frames are those of
// interrupt.Stack and of the function that calls it, "tick".
func stackListener(ctx context.Context, _ api.Module, _ api.FunctionDefinition, _ []uint64,
	it experimental.StackIterator) {
	t := callingThread(ctx)
	var frames []frame
	for n := 0; it.Next(); n++ {
		if n < 2 {
			continue
		}
		if len(frames) == maxFrames {
			frames = append(frames, frame{function: "... more frames"})
			break
		}
		def := it.Function().Definition()
		f := frame{function: def.DebugName() + wazeroSignature(def)}
		if f.module = t.inst.linesOf(def.ModuleName()); f.module != nil {
			f.offset = it.Function().SourceOffsetForPC(it.ProgramCounter())
		}
		frames = append(frames, f)
	}
	t.TellStack(t.inst.formatFrames(frames))
}

// linesOf returns the source lines of the module with a name, or nil.
func (inst *instance) linesOf(module string) *sourceLines {
	for _, s := range inst.lines {
		if s != nil && (inst.module != nil || s.options.Name == module) {
			return s
		}
	}
	return nil
}

// wazeroSignature formats a function's type as wazero does in traps.
func wazeroSignature(def api.FunctionDefinition) string {
	var types [2][]string
	for i, list := range [][]api.ValueType{def.ParamTypes(), def.ResultTypes()} {
		for _, t := range list {
			types[i] = append(types[i], api.ValueTypeName(t))
		}
	}
	text := "(" + strings.Join(types[0], ",") + ")"
	switch results := strings.Join(types[1], ","); len(types[1]) {
	case 0:
		return text
	case 1:
		return text + " " + results
	default:
		return text + " (" + results + ")"
	}
}
