\echo Use "create extension pgml cascade" to load this file. \quit
