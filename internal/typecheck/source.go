package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// listedPackage is the output of go list about a package.
type listedPackage struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string
	// ImportMap has the paths of imports that differ from those in the source.
	ImportMap map[string]string
	Module    *struct {
		Main      bool
		GoVersion string
	}
	Error *struct{ Err string }
}

func (p *listedPackage) isOurs() bool { return p.Module != nil && p.Module.Main }

// isTestMain reports whether it is the main package of a test binary, which go test writes.
func (p *listedPackage) isTestMain() bool {
	return p.Name == "main" && strings.HasSuffix(p.ImportPath, ".test")
}

// list lists the packages of the module in a directory with their tests, and all that they need.
func list(dir string, env ...string) ([]*listedPackage, error) {
	// go list looks for embedded files if it is asked for their names.
	cmd := exec.Command("go", "list", "-e", "-deps", "-test",
		"-json=ImportPath,Name,Dir,GoFiles,EmbedFiles,ImportMap,Module,Error", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var packages []*listedPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listedPackage{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// sources are files that were parsed.
type sources struct {
	fset   *token.FileSet
	parsed map[string]*ast.File
}

func newSources() *sources {
	return &sources{token.NewFileSet(), make(map[string]*ast.File)}
}

// parse returns the files of a package, those that it has parsed if there is an error.
func (s *sources) parse(p *listedPackage) ([]*ast.File, error) {
	var files []*ast.File
	var errs []error
	for _, name := range p.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		file := s.parsed[name]
		if file == nil {
			var err error
			file, err = parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			s.parsed[name] = file
		}
		files = append(files, file)
	}
	return files, errors.Join(errs...)
}
