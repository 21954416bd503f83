package child

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Annotations of a pod or a container.
const (
	// prefix begins all of them.
	prefix = "wasport.dev/"
	// policyAnnotation has the text of the policy. With a dot and the name of a container after it,
	// it is for that container alone.
	policyAnnotation = prefix + "policy"
	// policyFileAnnotation is the path of a file with the policy, in the container. The guest must
	// not be able to change it, since the pod's next container would be judged by it.
	policyFileAnnotation = prefix + "policy-file"
	// auditAnnotation and traceAnnotation are "true" to have each decision, or each call, in the
	// log.
	auditAnnotation = prefix + "audit"
	traceAnnotation = prefix + "trace"
)

// checkAnnotations refuses annotations that would be ignored, such as a misspelt one: an operator
// would believe that they hold.
func checkAnnotations(annotations map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		value := annotations[key]
		switch {
		case !strings.HasPrefix(key, prefix), key == policyAnnotation,
			strings.HasPrefix(key, policyAnnotation+".") && len(key) > len(policyAnnotation)+1:
		case key == policyFileAnnotation:
			if _, both := annotations[policyAnnotation]; both {
				return fmt.Errorf("annotations %s and %s are both there; leave one out", key,
					policyAnnotation)
			}
		case key == auditAnnotation, key == traceAnnotation:
			if value != "true" && value != "false" {
				return fmt.Errorf("annotation %s is %q; it is true or false", key, value)
			}
		default:
			return fmt.Errorf("there is no annotation %q; there are %[2]s, %[2]s.CONTAINER, "+
				"%s, %s and %s", key, policyAnnotation, policyFileAnnotation, auditAnnotation,
				traceAnnotation)
		}
	}
	return nil
}

// withoutHint takes the hint out of an audit record. It names flags of the command, which do not
// exist here; the refusal beside it in the log says how to change the policy.
func withoutHint(_ []string, a slog.Attr) slog.Attr {
	if a.Key == "hint" {
		return slog.Attr{}
	}
	return a
}
