package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
)

// hostModules are instances of modules of the host, by the name that they are imported from.
type hostModules map[string]hostModule

// hostModule is an instance with its compiled module. Both must be closed: wazero knows a compiled
// module of the host by its address, which the next one may get if nothing keeps it.
type hostModule struct {
	api.Module
	compiled wazero.CompiledModule
}

// instantiateHostModules makes the instances. They are anonymous.
func (e *Engine) instantiateHostModules(
	ctx context.Context, builders map[string]wazero.HostModuleBuilder,
) (hostModules, error) {
	modules := make(hostModules)
	for name, b := range builders {
		compileCtx := ctx
		if name == interrupt.Module {
			compileCtx = withStackListener(ctx)
		}
		// wazero's import resolver panics on modules made by HostModuleBuilder.Instantiate.
		compiled, err := b.Compile(compileCtx)
		if err != nil {
			return modules, fmt.Errorf("supplying %s: %w", name, err)
		}
		instance, err := e.runtime.InstantiateModule(ctx, compiled, anonymousConfig)
		if err != nil {
			return modules, errors.Join(fmt.Errorf("supplying %s: %w", name, err),
				compiled.Close(ctx))
		}
		modules[name] = hostModule{instance, compiled}
	}
	return modules, nil
}

func (m hostModules) close(ctx context.Context) error {
	var errs []error
	for _, h := range m {
		errs = append(errs, h.Module.Close(ctx), h.compiled.Close(ctx))
	}
	return errors.Join(errs...)
}
