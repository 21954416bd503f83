package main

import (
	"errors"
	"fmt"
	"go/types"
	"strings"
)

// checker checks the packages of one target.
type checker struct {
	sources *sources
	listed  []*listedPackage
	byPath  map[string]*listedPackage
	sizes   types.Sizes
	// checked has the packages so far; those in work are nil.
	checked map[string]*types.Package
	errs    []error
}

func newChecker(s *sources, listed []*listedPackage, processor string) *checker {
	c := &checker{sources: s, listed: listed, byPath: make(map[string]*listedPackage),
		sizes: types.SizesFor("gc", processor), checked: make(map[string]*types.Package)}
	for _, p := range listed {
		c.byPath[p.ImportPath] = p
	}
	return c
}

func (c *checker) checkAll() []error {
	if c.sizes == nil {
		return []error{errors.New("the compiler does not know the processor")}
	}
	for _, p := range c.listed {
		if p.isOurs() && !p.isTestMain() {
			c.check(p)
		}
	}
	return c.errs
}

// check checks a package, and those that it imports before.
func (c *checker) check(p *listedPackage) *types.Package {
	if checked, ok := c.checked[p.ImportPath]; ok {
		return checked
	}
	c.checked[p.ImportPath] = nil
	if p.Error != nil {
		c.errs = append(c.errs, fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err))
	}
	files, err := c.sources.parse(p)
	if err != nil {
		c.errs = append(c.errs, err)
	}
	config := types.Config{
		Importer:         importer{c, p},
		Sizes:            c.sizes,
		IgnoreFuncBodies: !p.isOurs(),
		Error:            func(err error) { c.errs = append(c.errs, err) },
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		config.GoVersion = "go" + p.Module.GoVersion
	}
	path, _, _ := strings.Cut(p.ImportPath, " ") // without the test that it is a part of
	checked, _ := config.Check(path, c.sources.fset, files, nil)
	c.checked[p.ImportPath] = checked
	return checked
}

// importer finds the packages that one package imports.
type importer struct {
	checker *checker
	of      *listedPackage
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if mapped, ok := i.of.ImportMap[path]; ok {
		path = mapped
	}
	p := i.checker.byPath[path]
	if p == nil {
		return nil, errors.New("go list does not know it")
	}
	if checked := i.checker.check(p); checked != nil {
		return checked, nil
	}
	return nil, errors.New("it imports itself")
}
